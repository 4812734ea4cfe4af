/** Lines broken to a width, between words where there are words, between characters where there are not. */
import { type Line, lineWidth, type Span, type Style, unstyled } from './style.ts'
import { graphemes, widthOf } from './width.ts'

interface Cell {
  readonly char: string
  readonly width: number
  readonly style: Style
}

export interface WrapOptions {
  /** Put before the second and later rows. */
  readonly hang?: Line
  /** Break anywhere (code, output) instead of between words. */
  readonly hard?: boolean
}

/** The line as rows of at most `width` cells. Nothing but the spaces at a word break is left out. */
export function wrap(spans: Line, width: number, { hang = [], hard = false }: WrapOptions = {}): Line[] {
  if (lineWidth(spans) <= width) return [spans]
  const hangWidth = lineWidth(hang)
  const indent = hangWidth < width - 3 ? hang : []
  const room = Math.max(1, width - lineWidth(indent))
  const cells = spans.flatMap(({ text, style }) =>
    graphemes(text).map((char): Cell => ({ char, width: widthOf(char), style })),
  )
  const rows: Line[] = []
  let from = 0
  while (from < cells.length) {
    const limit = rows.length === 0 ? Math.max(1, width) : room
    const to = breakAt(cells, from, limit, hard)
    const row = join(cells.slice(from, to))
    rows.push(rows.length === 0 ? row : [...indent, ...row])
    from = to
    while (!hard && from < cells.length && cells[from]?.char === ' ') from += 1
  }
  return rows
}

/** Where the row that begins at `from` ends: behind the last word that fits, or behind the last character that does. */
function breakAt(cells: readonly Cell[], from: number, limit: number, hard: boolean): number {
  let used = 0
  let at = from
  let space = -1
  while (at < cells.length) {
    const { char, width } = cells[at] as Cell
    if (used + width > limit) break
    if (char === ' ') space = at
    used += width
    at += 1
  }
  if (at === cells.length) return at
  if (hard) return Math.max(at, from + 1)
  if (cells[at]?.char === ' ') return at
  // A break in the first third would leave a hole: better to cut a long word.
  if (space > from + limit / 3) return space + 1
  return Math.max(at, from + 1)
}

function join(cells: readonly Cell[]): Line {
  const spans: { text: string; style: Style }[] = []
  for (const { char, style } of cells) {
    const last = spans.at(-1)
    if (last !== undefined && last.style === style) last.text += char
    else spans.push({ text: char, style })
  }
  return spans
}

/** The line cut to `width` cells, with `…` for what is left out. */
export function cut(spans: Line, width: number): Line {
  if (lineWidth(spans) <= width) return spans
  const kept: Span[] = []
  let room = width - 1
  for (const { text, style } of spans) {
    let part = ''
    for (const char of graphemes(text)) {
      const cells = widthOf(char)
      if (cells > room) {
        if (part !== '') kept.push({ text: part, style })
        return width < 1 ? [] : [...kept, { text: '…', style: unstyled }]
      }
      part += char
      room -= cells
    }
    kept.push({ text: part, style })
  }
  return kept
}
