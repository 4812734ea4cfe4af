/**
 * How much of a text that is still being written is in the scrollback already. Counted in characters that are the same
 * however the text is broken into rows and whatever its marks turn out to mean, so that a resize between changes nothing.
 */
import { type Line, plainText, type Span } from '../text/style.ts'
import { graphemes } from '../text/width.ts'

const uncounted = /[\s*_`~[\]()<>#|\\┊│─]/

const counted = (char: string): boolean => !uncounted.test(char)

/** Characters of a text that count. */
export const essence = (text: string): number => graphemes(text).filter(counted).length

/** The rows without their first `given` characters that count, and how many of those were not in them. */
export function withoutGiven(
  rows: readonly Line[],
  given: number,
): { readonly rows: readonly Line[]; readonly left: number } {
  let left = given
  for (const [n, row] of rows.entries()) {
    if (left <= 0) return { rows: rows.slice(n), left: 0 }
    const own = essence(plainText(row))
    if (own > left) return { rows: [rest(row, left), ...rows.slice(n + 1)], left: 0 }
    left -= own
  }
  return { rows: [], left }
}

/** A row behind its first `given` characters that count, and behind the blanks after them. */
function rest(row: Line, given: number): Line {
  let left = given
  let begun = false
  const kept: Span[] = []
  for (const { text, style } of row) {
    let part = ''
    for (const char of graphemes(text)) {
      if (left > 0) {
        if (counted(char)) left -= 1
      } else if (begun || char !== ' ') {
        begun = true
        part += char
      }
    }
    if (part !== '') kept.push({ text: part, style })
  }
  return kept
}

/** A mark that may yet be closed and then change the rows from here on: emphasis, code, a link, a tag. */
const opener = /(?:^|[\s("'])(?:\*{1,3}|_{1,3}|~~|`+|!?\[|<)(?=[^\s])/
/** Marks that stay open longer are plain characters. */
const patience = 400

/** How many of the rows are certain to stay as they are while text is added at their end. */
export function certainRows(rows: readonly Line[]): number {
  let certain = rows.length
  let behind = 0
  for (let n = rows.length - 1; n >= 0 && behind <= patience; n -= 1) {
    const text = plainText(rows[n] as Line)
    behind += text.length
    // A word that gets shorter when its mark is closed may fit into the row before.
    if (opener.test(text)) certain = n - 1
  }
  return Math.max(0, certain)
}
