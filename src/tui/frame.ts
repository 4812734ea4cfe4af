/** The live part of the screen as lines: what streams, what is done, what is asked, the editor, the status. Pure. */
import { activityLine } from './activity.ts'
import { questionLines } from './approval.ts'
import { layOut } from './editor/rows.ts'
import { picked } from './picker.ts'
import { statusLine } from './status.ts'
import { emptyLine, type Line, line, lineWidth, type Span, span } from './text/style.ts'
import { clip, widthOf } from './text/width.ts'
import { cut } from './text/wrap.ts'
import type { Ui } from './ui.ts'

export interface Size {
  readonly columns: number
  readonly rows: number
}

export interface Chrome {
  readonly lines: readonly Line[]
  /** Where the cursor stands in `lines`; undefined where nothing is typed. */
  readonly cursor: { readonly x: number; readonly y: number } | undefined
  /** Rows that are left above for what streams. */
  readonly room: number
}

/** Rows of live text at most: what has come and cannot change goes to the scrollback anyway. */
const mostLive = 6
const mostEditor = 10
const mostQueue = 3
const mostList = 8

export const promptWidth = 2

/** Everything below the streaming text. Never taller than the screen less one row, so that nothing overflows it. */
export function chrome(ui: Ui, size: Size, nowMs: number): Chrome {
  const width = Math.max(1, size.columns)
  const budget = Math.max(1, size.rows - 1)
  const input = inputPart(ui, width, Math.max(1, Math.min(mostEditor, budget - 4)))
  const below = belowInput(ui, width, Math.max(0, budget - input.lines.length - 3))
  // The status stands above the cursor: some terminals misplace the cursor when a line below it breaks anew in a resize.
  const status = footer(ui, width, nowMs)
  const above = aboveInput(ui, width, nowMs)
  const kept = [...above.slice(0, Math.max(0, budget - input.lines.length - below.length - 1)), status]
  const all = [...(budget > input.lines.length ? kept : []), ...input.lines, ...below]
  const lines = all.slice(0, budget).map((one) => cut(one, width))
  const room = Math.max(0, Math.min(mostLive, budget - lines.length - 1))
  const y = (budget > input.lines.length ? kept.length : 0) + (input.cursor?.y ?? 0)
  const visible = input.cursor !== undefined && y < lines.length
  return { lines, room, cursor: visible ? { x: Math.min(input.cursor.x, width - 1), y } : undefined }
}

function aboveInput(ui: Ui, width: number, nowMs: number): Line[] {
  const lines: Line[] = [emptyLine]
  if (ui.activity !== undefined && ui.approvals.length === 0)
    lines.push(activityLine(ui.activity, nowMs, width, ui.still))
  if (ui.loading !== undefined) lines.push(line(`  ${ui.loading}`, { role: 'muted' }))
  for (const { question } of ui.asides.slice(-mostQueue))
    lines.push([span('  aside: ', { role: 'accent' }), span(question.replaceAll('\n', ' ⏎ '), { role: 'muted' })])
  const hidden = ui.queue.length - mostQueue
  for (const { text, when } of ui.queue.slice(0, mostQueue)) {
    const label = when === 'boundary' ? 'next: ' : 'after: '
    lines.push([span(`  ${label}`, { role: 'accent' }), span(text.replaceAll('\n', ' ⏎ '), { role: 'muted' })])
  }
  if (hidden > 0) lines.push(line(`  and ${hidden} more`, { role: 'muted' }))
  const [approval] = ui.approvals
  if (approval !== undefined) lines.push(...questionLines(approval.request, width))
  return lines
}

interface Part {
  readonly lines: readonly Line[]
  readonly cursor: { readonly x: number; readonly y: number } | undefined
}

function inputPart(ui: Ui, width: number, most: number): Part {
  const [approval] = ui.approvals
  if (approval !== undefined && approval.reason !== undefined)
    return editorPart({ ...ui, editor: approval.reason }, width, most, 'why not? ')
  if (approval !== undefined && ui.editor.text === '') return { lines: [], cursor: undefined }
  if (ui.picker !== undefined) return pickerPart(ui.picker, width)
  if (ui.search !== undefined) return searchPart(ui, width)
  return editorPart(ui, width, most, ui.vim?.mode === 'normal' ? ': ' : '› ')
}

function editorPart({ editor }: Pick<Ui, 'editor'>, width: number, most: number, prompt: string): Part {
  const indent = widthOf(prompt)
  const layout = layOut(editor, Math.max(1, width - indent))
  const first = Math.max(0, Math.min(layout.cursorRow - most + 1, layout.rows.length - most))
  const rows = layout.rows.slice(first, first + most)
  const lines = rows.map((row, n): Line => {
    const mark = first + n === 0 ? prompt : ' '.repeat(indent)
    const pieces = row.pieces.map(({ shown, chip }): Span => ({ text: shown, style: chip ? chipStyle : {} }))
    return [span(mark, { role: 'accent', bold: true }), ...joined(pieces)]
  })
  return { lines, cursor: { x: indent + layout.cursorColumn, y: layout.cursorRow - first } }
}

const chipStyle = { role: 'accent', inverse: true } as const

/** Neighbouring pieces of one style as one span. */
function joined(pieces: readonly Span[]): Span[] {
  const spans: { text: string; style: Span['style'] }[] = []
  for (const { text, style } of pieces) {
    const last = spans.at(-1)
    if (last !== undefined && last.style.role === style.role) last.text += text
    else spans.push({ text, style })
  }
  return spans
}

function searchPart({ search, editor }: Ui, width: number): Part {
  const query = search?.query ?? ''
  const head = [
    span(search?.at === undefined && query !== '' ? 'not found: ' : 'search: ', { role: 'accent' }),
    span(query),
  ]
  const found = search?.at === undefined ? [] : [line(`  ${clip(editor.text.replaceAll('\n', ' ⏎ '), width - 2)}`)]
  return { lines: [head, ...found], cursor: { x: lineWidth(head), y: 0 } }
}

function pickerPart(picker: NonNullable<Ui['picker']>, width: number): Part {
  const head: Line = [span(`${picker.title} `, { bold: true }), span(picker.query)]
  const found = picked(picker)
  const from = Math.max(0, Math.min(picker.at - mostList + 2, found.length - mostList))
  const rows = found.slice(from, from + mostList).map(({ choice }, n): Line => {
    const chosen = from + n === picker.at
    const label: Span = span(`${chosen ? '❯ ' : '  '}${choice.label}`, chosen ? { role: 'accent', bold: true } : {})
    return cut([label, span(choice.detail === '' ? '' : `  ${choice.detail}`, { role: 'muted' })], width)
  })
  const more = found.length - from - rows.length
  const none = found.length === 0 ? [line('  nothing fits', { role: 'muted' })] : []
  const rest = more > 0 ? [line(`  ${more} more`, { role: 'muted' })] : []
  return { lines: [head, ...rows, ...none, ...rest], cursor: { x: lineWidth(head), y: 0 } }
}

function belowInput({ completion }: Ui, width: number, most: number): Line[] {
  if (completion === undefined) return []
  const rows = Math.min(mostList, most)
  const { suggestions, at } = completion
  const from = Math.max(0, Math.min(at - rows + 1, suggestions.length - rows))
  const shown = suggestions.slice(from, from + rows)
  const widest = Math.max(0, ...shown.map(({ label }) => widthOf(label)))
  return shown.map(({ label, help }, n) => {
    const chosen = from + n === at
    const head = span(`${chosen ? '❯ ' : '  '}${label}`, chosen ? { role: 'accent', bold: true } : {})
    const space = help === '' ? '' : ' '.repeat(Math.min(24, widest) - Math.min(24, widthOf(label)) + 2)
    return cut([head, span(space + help, { role: 'muted' })], width)
  })
}

function footer(ui: Ui, width: number, nowMs: number): Line {
  const { hint } = ui
  if (hint === undefined || hint.until <= nowMs) return statusLine(ui, ui.statusItems, width)
  // The mode is seen at all times.
  return [...statusLine(ui, [], width), span(` · ${hint.text}`, { role: 'warning' })]
}
