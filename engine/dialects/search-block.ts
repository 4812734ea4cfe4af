/** SEARCH/REPLACE blocks, line by line. Spellings as aider accepts them (`<{5,9} SEARCH`, `={5,9}`, `>{5,9} REPLACE`). */

/** The line that begins a block; a path may follow the word. Undefined for any other line. */
export function searchHead(line: string): { readonly rest: string } | undefined {
  const found = /^\s{0,3}<{5,9}\s?(?:SEARCH|ORIGINAL)>?(?:\s+(\S.*))?\s*$/i.exec(line)
  return found === null ? undefined : { rest: (found[1] ?? '').trim() }
}

export function isReplaceEnd(line: string): boolean {
  return /^\s{0,3}>{5,9}\s?(?:REPLACE|UPDATED)\s*$/i.test(line)
}

export type SplitBlock = { readonly old: string; readonly new: string } | { readonly problem: string }

/**
 * The two sides of the lines between head and end, each with a newline after every line. Exactly one line of seven `=`
 * divides them (else exactly one of five to nine): text that contains such lines itself cannot be told apart.
 */
export function splitBlock(lines: readonly string[]): SplitBlock {
  const exact = dividers(lines, /^={7}\s*$/)
  const near = exact.length === 0 ? dividers(lines, /^={5,9}\s*$/) : exact
  const [at, ...more] = near
  if (at === undefined) return { problem: 'The block has no ======= line between the old and the new lines.' }
  if (more.length > 0)
    return { problem: 'The block has more than one ======= line, so it is not clear which one divides it.' }
  return { old: text(lines.slice(0, at)), new: text(lines.slice(at + 1)) }
}

function dividers(lines: readonly string[], pattern: RegExp): number[] {
  return lines.flatMap((line, index) => (pattern.test(line) ? [index] : []))
}

function text(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}
