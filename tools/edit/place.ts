/** Decides where in a file a hunk belongs. */
import { foldLine } from './fold.ts'
import { type Located, locateLines } from './locate.ts'
import type { Hunk } from './patch/types.ts'

/** Lines `start` to `end` (not included), from 0. */
export interface Span {
  readonly start: number
  readonly end: number
}

export type Place =
  | {
      readonly ok: true
      readonly start: number
      /** The hunk's lines as they count here. */
      readonly old: readonly string[]
      readonly next: readonly string[]
      readonly reshape: (line: string) => string | undefined
    }
  | { readonly ok: false; readonly reason: 'no-match' | 'many-matches'; readonly lines: readonly number[] }

const noMatch: Place = { ok: false, reason: 'no-match', lines: [] }
const ambiguous = (places: readonly number[]): Place => ({
  ok: false,
  reason: 'many-matches',
  lines: places.slice(0, 20).map((place) => place + 1),
})

/**
 * A hunk belongs where its old lines stand. Where they stand more than once, what decides is, in this order: the mark of the
 * end of the file, the anchors, being the only place after the hunk before, the line number. Otherwise it is refused.
 */
export function findPlace(lines: readonly string[], hunk: Hunk, cursor: number, taken: readonly Span[]): Place {
  if (hunk.old.length === 0) return insertionPlace(lines, hunk, cursor, taken)
  const place = placeOf(lines, hunk, hunk.old, hunk.next, cursor, taken)
  // Models leave empty lines between hunks, which then read as empty context lines.
  const blank = trailingBlanks(hunk)
  if (place.ok || place.reason !== 'no-match' || blank === 0) return place
  return placeOf(lines, hunk, hunk.old.slice(0, -blank), hunk.next.slice(0, -blank), cursor, taken)
}

function placeOf(
  lines: readonly string[],
  hunk: Hunk,
  old: readonly string[],
  next: readonly string[],
  cursor: number,
  taken: readonly Span[],
): Place {
  const free = (start: number): boolean => taken.every((span) => start + old.length <= span.start || start >= span.end)
  const located = locateLines(lines, old, free)
  if (!located) return noMatch
  const start = choose(lines, hunk, located, old.length, cursor)
  if (start === undefined) return ambiguous(located.places)
  return { ok: true, start, old, next, reshape: (line) => located.reshape(line, start) }
}

/** Undefined when nothing decides between several places. */
function choose(
  lines: readonly string[],
  hunk: Hunk,
  { places, tier }: Located,
  length: number,
  cursor: number,
): number | undefined {
  const atEnd = lines.length - length
  if (hunk.atEnd && places.includes(atEnd)) return atEnd
  if (places.length === 1) return places[0]
  // Lines that match only leniently must be the only ones: no hint is worth a wrong place.
  if (tier !== 'exact') return undefined
  const anchored = belowAnchors(lines, hunk.anchors, places, cursor)
  if (anchored.length === 1) return anchored[0]
  if (hunk.anchors.length > 0) return undefined
  const after = places.filter((place) => place >= cursor)
  if (after.length === 1) return after[0]
  return hunk.line !== undefined && places.includes(hunk.line - 1) ? hunk.line - 1 : undefined
}

/** For each line that the last anchor may mean, the first place from there to the next such line. */
function belowAnchors(
  lines: readonly string[],
  anchors: readonly string[],
  places: readonly number[],
  cursor: number,
): number[] {
  const starts = anchorLines(lines, anchors, cursor)
  const found = starts.map((start, i) =>
    places.find((place) => place >= start && place < (starts[i + 1] ?? lines.length)),
  )
  return found.filter((place) => place !== undefined)
}

/** Indexes of the lines that the last anchor may mean, given the ones before it. */
function anchorLines(lines: readonly string[], anchors: readonly string[], cursor: number): number[] {
  let from = cursor
  for (const [i, anchor] of anchors.entries()) {
    const found = linesLike(lines, anchor, from)
    if (i === anchors.length - 1 || found.length === 0) return found
    from = found[0]! + 1
  }
  return []
}

/** Lines equal to the anchor but for space at both ends; where there are none, lines that begin with it. */
function linesLike(lines: readonly string[], anchor: string, from: number): number[] {
  const wanted = foldLine(anchor).trim()
  const where = (test: (line: string) => boolean): number[] =>
    lines.flatMap((line, i) => (i >= from && test(foldLine(line).trim()) ? [i] : []))
  const equal = where((line) => line === wanted)
  return equal.length > 0 ? equal : where((line) => line.startsWith(wanted))
}

/** Only new lines: below the anchor, at the line number, or at the end of the file. */
function insertionPlace(lines: readonly string[], hunk: Hunk, cursor: number, taken: readonly Span[]): Place {
  const at = (start: number): Place =>
    taken.some((span) => span.start < start && start < span.end)
      ? noMatch
      : { ok: true, start, old: [], next: hunk.next, reshape: (line) => line }
  if (hunk.anchors.length > 0) {
    const found = anchorLines(lines, hunk.anchors, cursor)
    if (found.length === 0) return noMatch
    return found.length === 1 ? at(found[0]! + 1) : ambiguous(found)
  }
  const line = hunk.atEnd ? undefined : hunk.line
  return at(line !== undefined && line <= lines.length ? line : lines.length)
}

function trailingBlanks(hunk: Hunk): number {
  let count = 0
  while (hunk.old.at(-1 - count) === '' && hunk.next.at(-1 - count) === '') count += 1
  return count === hunk.old.length ? 0 : count
}
