/** Replaces one text in a file by another, and changes no other byte. */
import { mainEol, splitLines, toLf, withEol } from '../text/lines.ts'
import { foldUnicode } from './fold.ts'
import { locateLines, type Tier } from './locate.ts'
import { mergeText } from './merge.ts'
import { stripShownNumbers } from './numbers.ts'

export type Replaced =
  | {
      readonly ok: true
      readonly text: string
      readonly tier: Tier | 'shown-numbers'
      /** First line of each place, counted from 1 in the old text. */
      readonly lines: readonly number[]
    }
  | {
      readonly ok: false
      readonly reason: 'no-match' | 'many-matches' | 'no-change'
      /** First lines of the places where `old` stands, for `many-matches`. */
      readonly lines: readonly number[]
    }

/** Offsets in the text with `\n` endings only, and what to write there. */
interface Change {
  readonly start: number
  readonly end: number
  readonly old: string
  readonly next: string
  readonly reshape: (line: string) => string | undefined
}

const keep = (line: string): string => line

/**
 * `old` must occur exactly once, or `all` is set. Line endings do not count when comparing and each line keeps its own. Where
 * the text as it is occurs nowhere, the lenient tiers are tried from the strictest on, and count only when one place
 * matches.
 */
export function replaceText(before: string, old: string, next: string, all = false): Replaced {
  const view = toLf(before)
  const from = toLf(old)
  const to = toLf(next)
  if (from === to) return { ok: false, reason: 'no-change', lines: [] }
  const exact = findAll(view, from)
  if (exact.length > 1 && !all) return ambiguous(view, exact)
  if (exact.length > 0) {
    const changes = withoutOverlap(exact, from.length).map((start) => ({
      start,
      end: start + from.length,
      old: from,
      next: to,
      reshape: keep,
    }))
    return finish(before, view, 'exact', changes)
  }
  return replaceLeniently(before, view, from, to)
}

function replaceLeniently(before: string, view: string, from: string, to: string): Replaced {
  if (from.trim() === '') return { ok: false, reason: 'no-match', lines: [] }
  const folded = findAll(foldUnicode(view), foldUnicode(from))
  if (folded.length > 1) return ambiguous(view, folded)
  if (folded.length === 1) {
    const start = folded[0]!
    return finish(before, view, 'unicode', [{ start, end: start + from.length, old: from, next: to, reshape: keep }])
  }
  const byLines = replaceLines(before, view, from, to)
  if (byLines.ok || byLines.reason !== 'no-match') return byLines
  const stripped = stripShownNumbers(from, to)
  if (!stripped) return byLines
  const again = replaceText(before, stripped.old, stripped.next)
  return again.ok ? { ...again, tier: 'shown-numbers' } : again
}

/** The tiers that compare whole lines. */
function replaceLines(before: string, view: string, from: string, to: string): Replaced {
  const endsLine = from.endsWith('\n')
  const lines = (view.endsWith('\n') ? view.slice(0, -1) : view).split('\n')
  const located = locateLines(lines, (endsLine ? from.slice(0, -1) : from).split('\n'))
  if (!located) return { ok: false, reason: 'no-match', lines: [] }
  if (located.places.length > 1) {
    return { ok: false, reason: 'many-matches', lines: located.places.map((place) => place + 1) }
  }
  const place = located.places[0]!
  const count = from.split('\n').length - (endsLine ? 1 : 0)
  const start = lines.slice(0, place).reduce((sum, line) => sum + line.length + 1, 0)
  const end = lines.slice(place, place + count).reduce((sum, line) => sum + line.length + 1, start) - 1
  const reshape = (line: string): string | undefined => located.reshape(line, place)
  // The last line of a file may have no newline where `old` has one: then neither side gets one.
  const atEnd = endsLine && end >= view.length
  const cut = (text: string): string => (atEnd && text.endsWith('\n') ? text.slice(0, -1) : text)
  const change = { start, end: endsLine && !atEnd ? end + 1 : end, old: cut(from), next: cut(to), reshape }
  return finish(before, view, located.tier, [change])
}

/** Writes the changes (ascending) into the text with its own line endings. */
function finish(before: string, view: string, tier: Tier, changes: readonly Change[]): Replaced {
  const toRaw = offsetMap(before)
  const eol = mainEol(before)
  const mixed = withEol(before, eol) !== before
  const parts: string[] = []
  let done = 0
  for (const change of changes) {
    const start = toRaw(change.start)
    const region = before.slice(start, toRaw(change.end))
    const written =
      tier === 'exact' && !mixed
        ? withEol(change.next, eol)
        : mergeText(region, change.old, change.next, change.reshape, nearbyEol(before, start, eol))
    if (written === undefined) return { ok: false, reason: 'no-match', lines: [] }
    parts.push(before.slice(done, start), written)
    done = start + region.length
  }
  const text = parts.join('') + before.slice(done)
  const lines = changes.map(({ start }) => lineAt(view, start))
  return text === before ? { ok: false, reason: 'no-change', lines } : { ok: true, text, tier, lines }
}

/** The ending of the line that holds the offset, or `otherwise` on the last line. */
function nearbyEol(text: string, offset: number, otherwise: '\n' | '\r\n'): '\n' | '\r\n' {
  const newline = text.indexOf('\n', offset)
  if (newline < 0) return otherwise
  return text[newline - 1] === '\r' ? '\r\n' : '\n'
}

/** From an offset in the text with `\n` endings to the offset in the text as it is. */
function offsetMap(text: string): (offset: number) => number {
  // Where each `\r\n` ends up in the shorter text.
  const joints: number[] = []
  let at = 0
  for (const line of splitLines(text)) {
    at += line.text.length
    if (line.eol === '\r\n') joints.push(at)
    if (line.eol !== '') at += 1
  }
  return (offset) => {
    let low = 0
    let high = joints.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (joints[middle]! < offset) low = middle + 1
      else high = middle
    }
    return offset + low
  }
}

/** More places than anybody wants to read about. */
const enoughPlaces = 100_000

/** Every offset of `needle`, overlapping ones too: two readings of one place are two places. */
function findAll(text: string, needle: string): number[] {
  const found: number[] = []
  if (needle === '') return found
  for (let at = text.indexOf(needle); at >= 0 && found.length < enoughPlaces; at = text.indexOf(needle, at + 1)) {
    found.push(at)
  }
  return found
}

function withoutOverlap(starts: readonly number[], length: number): number[] {
  const kept: number[] = []
  for (const start of starts) {
    if (start >= (kept.at(-1) ?? -length) + length) kept.push(start)
  }
  return kept
}

function ambiguous(view: string, starts: readonly number[]): Replaced {
  return { ok: false, reason: 'many-matches', lines: starts.slice(0, 20).map((start) => lineAt(view, start)) }
}

/** Number of the line, from 1, that holds the offset. */
function lineAt(view: string, offset: number): number {
  let line = 1
  for (let at = view.indexOf('\n'); at >= 0 && at < offset; at = view.indexOf('\n', at + 1)) line += 1
  return line
}
