/** The functions of a Python file, by its lines. */

/** `indent` is 0 for those that an example can call by their name alone. */
export function definedFunctions(text: string): { readonly name: string; readonly indent: number }[] {
  return [...text.matchAll(/^([ \t]*)(?:async\s+)?(?:def|class)\s+([A-Za-z_]\w*)/gm)].map(([, space, name]) => ({
    name: name!,
    indent: space!.length,
  }))
}
