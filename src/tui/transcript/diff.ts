/** Differences of text files as screen lines: line numbers, changed words set off, unchanged stretches folded. */
import { diffWordsWithSpace, parsePatch, type StructuredPatchHunk, structuredPatch } from 'diff'
import type { TextChange } from '../../../tools/index.ts'
import { expandTabs, type Line, line, type Span, type Style, span } from '../text/style.ts'
import { wrap } from '../text/wrap.ts'

export interface DiffOptions {
  readonly width: number
  /** Changed lines above which the rest is only counted. */
  readonly limit?: number
}

/** Longest text that is compared: beyond it the comparison would be felt. */
const longest = 400_000

/** One file before and after. Nothing when it did not change. */
export function changeLines(change: TextChange, options: DiffOptions): Line[] {
  const before = change.before ?? ''
  const after = change.after ?? ''
  if (before.length + after.length > longest) return [line('  (too large to compare here)', { role: 'muted' })]
  const patch = structuredPatch('', '', before, after, undefined, undefined, { context: 3, timeout: 300 })
  return patch === undefined
    ? [line('  (too different to compare here)', { role: 'muted' })]
    : hunkLines(patch.hunks, options)
}

/** A unified diff as git and our events write it. A text that is none is shown as it is. */
export function patchLines(patch: string, options: DiffOptions): Line[] {
  try {
    return hunkLines(
      parsePatch(patch).flatMap(({ hunks }) => hunks),
      options,
    )
  } catch {
    return patch.split('\n').map((one) => line(one)) // not a diff after all: nothing is hidden
  }
}

/** Added and removed lines of a change. */
export function countChange({ before, after }: TextChange): { readonly added: number; readonly removed: number } {
  const hunks = structuredPatch('', '', before ?? '', after ?? '', undefined, undefined, { context: 0, timeout: 300 })
  const lines = hunks?.hunks.flatMap((hunk) => hunk.lines) ?? []
  return {
    added: lines.filter((one) => one.startsWith('+')).length,
    removed: lines.filter((one) => one.startsWith('-')).length,
  }
}

function hunkLines(hunks: readonly StructuredPatchHunk[], { width, limit = 200 }: DiffOptions): Line[] {
  const lines: Line[] = []
  const digits = Math.max(
    3,
    ...hunks.map(({ newStart, newLines, oldStart }) => digitsOf(newStart + newLines, oldStart)),
  )
  let shownTo = 1
  let left = limit
  let hidden = 0
  for (const hunk of hunks) {
    const changed = hunk.lines.filter((one) => /^[+-]/.test(one)).length
    if (left <= 0) {
      hidden += changed
      continue
    }
    const skipped = hunk.newStart - shownTo
    if (skipped > 0) lines.push(line(`${' '.repeat(digits)} ⋯ ${skipped} unchanged`, { role: 'muted' }))
    const rows = numbered(hunk, digits, width)
    lines.push(...rows.slice(0, left + 6))
    if (rows.length > left + 6) hidden += rows.length - left - 6
    left -= changed
    shownTo = hunk.newStart + hunk.newLines
  }
  if (hidden > 0) lines.push(line(`${' '.repeat(digits)} ⋯ ${hidden} more changed lines`, { role: 'muted' }))
  return lines
}

const digitsOf = (...values: readonly number[]): number => String(Math.max(...values)).length

interface Numbered {
  readonly sign: '+' | '-' | ' '
  readonly number: number
  readonly text: string
}

function numbered(hunk: StructuredPatchHunk, digits: number, width: number): Line[] {
  let oldNumber = hunk.oldStart
  let newNumber = hunk.newStart
  const rows: Numbered[] = []
  let noNewline = false
  for (const raw of hunk.lines) {
    const sign = raw[0]
    const text = raw.slice(1).replace(/\r$/, '')
    if (sign === '+') rows.push({ sign, number: newNumber++, text })
    else if (sign === '-') rows.push({ sign, number: oldNumber++, text })
    else if (sign === '\\') noNewline = true
    else {
      rows.push({ sign: ' ', number: newNumber++, text })
      oldNumber += 1
    }
  }
  const emphasised = emphasise(rows)
  const lines = rows.flatMap((row, n) => {
    const style = styleOf(row.sign)
    const gutter: Span[] = [
      span(`${String(row.number).padStart(digits)} `, { role: 'muted' }),
      span(`${row.sign} `, style),
    ]
    const hang = [span(' '.repeat(digits + 3))]
    return wrap([...gutter, ...(emphasised.get(n) ?? [span(expandTabs(row.text), style)])], width, { hard: true, hang })
  })
  return noNewline
    ? [...lines, line(`${' '.repeat(digits)} (no line break at the end of the file)`, { role: 'muted' })]
    : lines
}

const styles = { '+': { role: 'added' }, '-': { role: 'removed' }, ' ': {} } as const satisfies Record<string, Style>
const emphasis = {
  '+': { role: 'added', bold: true, underline: true },
  '-': { role: 'removed', bold: true, underline: true },
} as const satisfies Record<string, Style>

const styleOf = (sign: Numbered['sign']): Style => styles[sign]

/** Runs of removed lines followed by as many added ones are compared word by word. */
function emphasise(rows: readonly Numbered[]): Map<number, Span[]> {
  const spans = new Map<number, Span[]>()
  let at = 0
  while (at < rows.length) {
    if (rows[at]?.sign !== '-') {
      at += 1
      continue
    }
    const removed = run(rows, at, '-')
    const added = run(rows, at + removed, '+')
    if (removed === added) for (let n = 0; n < removed; n += 1) pair(rows, at + n, at + removed + n, spans)
    at += removed + added
  }
  return spans
}

function run(rows: readonly Numbered[], from: number, sign: string): number {
  let at = from
  while (rows[at]?.sign === sign) at += 1
  return at - from
}

function pair(rows: readonly Numbered[], old: number, next: number, spans: Map<number, Span[]>): void {
  const before = expandTabs(rows[old]?.text ?? '')
  const after = expandTabs(rows[next]?.text ?? '')
  if (before.length + after.length > 2000) return
  const parts = diffWordsWithSpace(before, after)
  const same = parts.reduce((sum, part) => (part.added || part.removed ? sum : sum + part.value.trim().length), 0)
  // Lines with little in common are two lines, not one changed one.
  if (same < Math.max(before.trim().length, after.trim().length) / 3) return
  const side = (sign: '+' | '-'): Span[] =>
    parts
      .filter((part) => (sign === '+' ? !part.removed : !part.added))
      .map((part) => span(part.value, part.added || part.removed ? emphasis[sign] : styles[sign]))
  spans.set(old, side('-'))
  spans.set(next, side('+'))
}
