/** How wide text is on a terminal, in cells, and where one user-perceived character ends. */
import cells, { isPlain } from './cells.ts'

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** Cells that a text without line breaks takes. */
export const widthOf = (text: string): number => cells(text)

/** User-perceived characters, in order. */
export function graphemes(text: string): string[] {
  return isPlain(text) ? text.split('') : Array.from(segmenter.segment(text), (part) => part.segment)
}

/** Longest context that decides where a grapheme begins: emoji sequences are far shorter. */
const reach = 64

/** The offset where the character after `offset` begins; the text's length at its end. */
export function nextBoundary(text: string, offset: number): number {
  if (offset >= text.length) return text.length
  const [first] = segmenter.segment(text.slice(offset, offset + reach))
  return offset + (first?.segment.length ?? 1)
}

/** The offset where the character before `offset` begins; 0 at the start. */
export function previousBoundary(text: string, offset: number): number {
  if (offset <= 0) return 0
  // Begin at a line break where there is one near: a break always ends a character, an arbitrary cut may lie inside one.
  const near = Math.max(0, offset - reach)
  const start = Math.max(near, text.lastIndexOf('\n', offset - 2) + 1)
  let last = start
  for (const part of segmenter.segment(text.slice(start, offset))) last = start + part.index
  return last
}

/** The start of `text` that fits into `cells`, cut between characters, with `…` when something was cut. */
export function clip(text: string, cells: number): string {
  if (widthOf(text) <= cells) return text
  let kept = ''
  let used = 0
  for (const char of graphemes(text)) {
    const width = widthOf(char)
    if (used + width > cells - 1) break
    kept += char
    used += width
  }
  return cells > 0 ? `${kept}…` : ''
}
