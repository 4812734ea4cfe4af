import type { Tokens } from 'marked'
import { type Line, lineWidth, type Span, span } from '../text/style.ts'
import { wrap } from '../text/wrap.ts'
import { inline } from './inline.ts'

/** A markdown table fitted to a width: cells wrap inside their columns; where that cannot be read, a list of rows. */
export function table({ header, rows, align }: Tokens.Table, width: number): Line[] {
  const bold = { bold: true }
  const head = header.map((cell) => inline(cell.tokens, bold).flat())
  const body = rows.map((row) => row.map((cell) => inline(cell.tokens).flat()))
  const natural = head.map((_, column) => Math.max(3, ...[head, ...body].map((row) => lineWidth(row[column] ?? []))))
  const room = width - 3 * (natural.length - 1)
  if (room < 8 * natural.length && natural.reduce((sum, one) => sum + one, 0) > room) return asList(head, body, width)
  const widths = shrink(natural, room)
  const rule = span(widths.map((one) => '─'.repeat(one)).join('─┼─'), { role: 'muted' })
  return [...row(head, widths, align), [rule], ...body.flatMap((cells) => row(cells, widths, align))]
}

/** Takes from the widest columns until all fit. */
function shrink(natural: readonly number[], room: number): number[] {
  const widths = [...natural]
  let over = widths.reduce((sum, one) => sum + one, 0) - room
  while (over > 0) {
    const widest = widths.indexOf(Math.max(...widths))
    widths[widest] = (widths[widest] as number) - 1
    over -= 1
  }
  return widths
}

function row(cells: readonly Line[], widths: readonly number[], align: Tokens.Table['align']): Line[] {
  const wrapped = widths.map((width, column) => wrap(cells[column] ?? [], width))
  const height = Math.max(...wrapped.map((lines) => lines.length))
  return Array.from({ length: height }, (_, n) =>
    widths.flatMap((width, column): Span[] => {
      const content = wrapped[column]?.[n] ?? []
      const space = width - lineWidth(content)
      const side = align[column]
      const before = side === 'right' ? space : side === 'center' ? Math.floor(space / 2) : 0
      const last = column === widths.length - 1
      const after = last ? 0 : space - before
      const separator = last ? [] : [span(' │ ', { role: 'muted' })]
      return [span(' '.repeat(before)), ...content, span(' '.repeat(Math.max(0, after))), ...separator]
    }),
  )
}

function asList(head: readonly Line[], body: readonly Line[][], width: number): Line[] {
  const indent = [span('  ')]
  return body.flatMap((cells, n) => [
    ...(n > 0 ? [[]] : []),
    ...cells.flatMap((cell, column) => wrap([...(head[column] ?? []), span(': '), ...cell], width, { hang: indent })),
  ])
}
