/** The functions of a file, by its lines. */

/** `indent` is 0 for those that an example can call by their name alone. */
export function definedFunctions(text: string): { readonly name: string; readonly indent: number }[] {
  return [...text.matchAll(/^([ \t]*)(?:async\s+)?(?:def|class)\s+([A-Za-z_]\w*)/gm)].map(([, space, name]) => ({
    name: name!,
    indent: space!.length,
  }))
}

/** Names that a file of JavaScript or TypeScript declares at its outer level. */
export function declaredNames(text: string): string[] {
  const named =
    /^(?:export\s+(?:default\s+)?)?(?:(?:async\s+)?function\s*\*?\s*|class\s+|(?:const|let|var)\s+)([A-Za-z_$][\w$]*)/gm
  const exported = /^(?:module\.)?exports\.([A-Za-z_$][\w$]*)\s*=/gm
  return [...new Set([...text.matchAll(named), ...text.matchAll(exported)].map(([, name]) => name!))]
}

/** The names among them that hold functions, as far as a line tells. */
export function declaredFunctions(text: string): string[] {
  const functions =
    /^(?:export\s+(?:default\s+)?)?(?:(?:async\s+)?function\s*\*?\s*([A-Za-z_$][\w$]*)|(?:const|let|var)\s+([A-Za-z_$][\w$]*)\s*(?::[^=]*)?=\s*(?:async\s*)?(?:function\b|\(|[A-Za-z_$][\w$]*\s*=>))/gm
  return [...new Set([...text.matchAll(functions)].map(([, one, other]) => (one ?? other)!))]
}
