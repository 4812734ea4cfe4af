/** The editor's text as screen rows, and the cursor's way up and down over them. */
import { clip, graphemes, widthOf } from '../text/width.ts'
import type { Editor } from './editor.ts'

export interface Piece {
  /** What is shown: a character, the picture of a control character, or a chip's label. */
  readonly shown: string
  readonly chip: boolean
}

export interface Row {
  readonly from: number
  /** Offset behind the row's last character, without the line break. */
  readonly to: number
  readonly pieces: readonly Piece[]
}

export interface Layout {
  readonly rows: readonly Row[]
  readonly cursorRow: number
  /** Cells before the cursor in its row. */
  readonly cursorColumn: number
}

/** Breaks the text at its line breaks and at `width` cells. The cursor at a full row's end shows at the next row's start. */
export function layOut(editor: Pick<Editor, 'text' | 'cursor' | 'chips'>, width: number): Layout {
  const rows: Row[] = []
  let cursorRow = 0
  let cursorColumn = 0
  let offset = 0
  let row = { from: 0, pieces: [] as Piece[], cells: 0 }
  const mark = (): void => {
    if (offset === editor.cursor) [cursorRow, cursorColumn] = [rows.length, row.cells]
  }
  const end = (): void => {
    rows.push({ from: row.from, to: offset, pieces: row.pieces })
  }
  for (const char of graphemes(editor.text)) {
    if (char === '\n') {
      mark()
      end()
      offset += 1
      row = { from: offset, pieces: [], cells: 0 }
      continue
    }
    const piece = show(char, editor.chips, width)
    const cells = widthOf(piece.shown)
    if (row.cells + cells > width && row.cells > 0) {
      end()
      row = { from: offset, pieces: [], cells: 0 }
    }
    mark()
    row.pieces.push(piece)
    row.cells += cells
    offset += char.length
  }
  if (row.cells >= width) {
    end()
    row = { from: offset, pieces: [], cells: 0 }
  }
  mark()
  end()
  return { rows, cursorRow, cursorColumn }
}

function show(char: string, chips: Editor['chips'], width: number): Piece {
  const chip = chips.get(char)
  if (chip !== undefined) return { shown: clip(chip.label, width), chip: true }
  if (char === '\t') return { shown: '  ', chip: false }
  const shown = char.replace(/[\x00-\x1f\x7f]/g, (code) => (code === '\x7f' ? '␡' : pictured(code)))
  // Characters without a cell of their own (bidi overrides, lone joiners) are shown by number.
  const visible = widthOf(shown) > 0 ? shown : [...shown].map((one) => `<${hex(one)}>`).join('')
  return { shown: /[\x80-\x9f\u202a-\u202e\u2066-\u2069]/.test(visible) ? numbered(visible) : visible, chip: false }
}

const pictured = (control: string): string => String.fromCharCode(0x2400 + control.charCodeAt(0))
const hex = (char: string): string => `U+${(char.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}`
const numbered = (text: string): string =>
  text.replace(/[\x80-\x9f\u202a-\u202e\u2066-\u2069]/g, (char) => `<${hex(char)}>`)

/**
 * The offset one row up or down at the given cell (the cursor's own by default), or undefined at the first or last row.
 */
export function verticalTarget(editor: Editor, width: number, by: -1 | 1, goal?: number): number | undefined {
  const layout = layOut(editor, width)
  const row = layout.rows[layout.cursorRow + by]
  if (row === undefined) return undefined
  const wanted = goal ?? layout.cursorColumn
  let offset = row.from
  let cells = 0
  for (const char of graphemes(editor.text.slice(row.from, row.to))) {
    const next = cells + widthOf(show(char, editor.chips, width).shown)
    if (next > wanted) break
    cells = next
    offset += char.length
  }
  return offset
}
