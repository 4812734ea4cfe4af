/** Brackets of code in most languages. */

/** What stands up to the bracket that closes the one before `at`, split at its own commas. */
export interface Bracketed {
  /** Index after the closing bracket. */
  readonly end: number
  readonly parts: readonly string[]
}

/** Undefined where the bracket is not closed. Brackets and commas in strings are passed over. */
export function bracketed(text: string, at: number): Bracketed | undefined {
  const parts: string[] = []
  let depth = 1
  let from = at
  for (const [i, character] of outsideStrings(text, at)) {
    if ('([{'.includes(character)) depth += 1
    else if (')]}'.includes(character)) {
      depth -= 1
      if (depth === 0) return { end: i + 1, parts: [...parts, text.slice(from, i)].map((part) => part.trim()) }
    } else if (character === ',' && depth === 1) {
      parts.push(text.slice(from, i))
      from = i + 1
    }
  }
  return undefined
}

/** Index of the end of the line on which a statement ends: brackets and strings may go over several. */
export function statementEnd(text: string, at: number): number {
  let depth = 0
  for (const [i, character] of outsideStrings(text, at)) {
    if ('([{'.includes(character)) depth += 1
    else if (')]}'.includes(character)) depth -= 1
    else if (character === '\n' && depth <= 0) return i
  }
  return text.length
}

function* outsideStrings(text: string, at: number): Generator<readonly [index: number, character: string]> {
  let quote = ''
  for (let i = at; i < text.length; i++) {
    const character = text[i]!
    if (quote !== '') {
      if (character === '\\') i += 1
      else if (character === quote) quote = ''
    } else if ('"\'`'.includes(character)) quote = character
    else yield [i, character]
  }
}
