/** Applies the hunks of one file, all of them or none. */
import { joinLines, type Line, mainEol, splitLines } from '../text/lines.ts'
import { endLines, mergeLines } from './merge.ts'
import type { Hunk } from './patch/types.ts'
import { findPlace, type Span } from './place.ts'

export type Patched =
  | { readonly ok: true; readonly text: string }
  | {
      readonly ok: false
      readonly reason: 'no-match' | 'many-matches'
      readonly hunk: Hunk
      /** First lines, from 1, of the places where the hunk would fit; for `many-matches`. */
      readonly lines: readonly number[]
    }

interface Piece extends Span {
  readonly lines: readonly Line[]
}

/** Hunks are looked for in the text as it was; they may not overlap, and come in the order of the file where that decides. */
export function applyHunks(before: string, hunks: readonly Hunk[]): Patched {
  const lines = splitLines(before)
  const texts = lines.map((line) => line.text)
  const eol = mainEol(before)
  const pieces: Piece[] = []
  let cursor = 0
  for (const hunk of hunks) {
    const place = findPlace(texts, hunk, cursor, pieces)
    if (!place.ok) return { ok: false, reason: place.reason, hunk, lines: place.lines }
    const end = place.start + place.old.length
    const kept = lines.slice(place.start, end)
    const merged = mergeLines(kept, place.old, place.next, place.reshape)
    if (!merged) return { ok: false, reason: 'no-match', hunk, lines: [] }
    const around = lines[place.start]?.eol || lines[place.start - 1]?.eol || eol
    const ended = endLines(merged, around)
    // Unless the patch says otherwise, an old last line keeps its missing newline, and a new one gets one.
    const last = merged.at(-1)
    const newline = hunk.finalNewline ?? (last?.isNew || last?.eol !== '')
    if (last && end === lines.length && !newline) ended[ended.length - 1] = { ...ended.at(-1)!, eol: '' }
    pieces.push({ start: place.start, end, lines: ended })
    cursor = end
  }
  return { ok: true, text: assemble(lines, pieces, eol) }
}

function assemble(lines: readonly Line[], pieces: readonly Piece[], eol: '\n' | '\r\n'): string {
  const output: Line[] = []
  let at = 0
  for (const piece of [...pieces].sort((a, b) => a.start - b.start || a.end - b.end)) {
    output.push(...lines.slice(at, piece.start), ...piece.lines)
    at = piece.end
  }
  output.push(...lines.slice(at))
  const last = output.pop()
  return last ? joinLines(output.map((line) => (line.eol === '' ? { ...line, eol } : line))) + last.text + last.eol : ''
}
