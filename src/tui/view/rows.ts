/** How many rows of the terminal a frame takes, when its lines break at a width that it was not made for. */
import { graphemes, widthOf } from '../text/width.ts'
import type { View } from './app.tsx'

const sgr = /\x1b\[[\d;]*m/g

/** Rows that a painted line takes when it breaks at `columns`. */
const rowsOf = (text: string, columns: number): number =>
  Math.max(1, Math.ceil(widthOf(text.replace(sgr, '').trimEnd()) / columns))

/** Rows of the frame that do not fit into `rows`, where a terminal keeps the last rows in view. */
export const overflow = ({ live }: View, columns: number, rows: number): number =>
  live.reduce((sum, text) => sum + rowsOf(text, columns), 0) - rows

/** The text of the first `over` rows, as far as it streams. */
export function pushedOut({ live, streaming }: View, columns: number, over: number): string {
  let left = over
  let text = ''
  for (const one of live.slice(0, streaming)) {
    if (left <= 0) break
    const own = rowsOf(one, columns)
    const bare = one.replace(sgr, '')
    text += own <= left ? bare : start(bare, left * columns)
    left -= own
  }
  return text
}

/** As much of a text as fills so many cells. */
function start(text: string, cells: number): string {
  let used = 0
  let kept = ''
  for (const char of graphemes(text)) {
    used += widthOf(char)
    if (used > cells) break
    kept += char
  }
  return kept
}

/** Rows from the frame's first one to that of the cursor, when lines break at `columns`. */
export function rowsToCursor({ live, cursor }: View, columns: number): number {
  // Without a cursor of ours, Ink leaves it below the last line.
  const above = live.slice(0, cursor?.y ?? live.length).reduce((sum, text) => sum + rowsOf(text, columns), 0)
  return above + (cursor === undefined ? 0 : Math.floor(cursor.x / columns))
}

/** From the cursor to the first column of the frame's first row. */
export function toTop(view: View, columns: number): string {
  const up = rowsToCursor(view, columns)
  return `\r${up > 0 ? `\x1b[${up}A` : ''}`
}
