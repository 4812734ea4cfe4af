/** Finds a run of whole lines in a file, exactly or with the small slips that models make. */
import { foldLine } from './fold.ts'

/**
 * How the lines matched, from strict to lenient: as they are · trailing space ignored · typographic characters folded ·
 * all indented by the same more or less · tabs for spaces or the reverse.
 */
export type Tier = 'exact' | 'trailing-space' | 'unicode' | 'indentation'

export interface Located {
  readonly tier: Tier
  /** Indexes of first lines, ascending. Never empty. */
  readonly places: readonly number[]
  /** Gives a line of new text the indentation of the place. Undefined: a line that cannot be shifted back. */
  reshape(line: string, place: number): string | undefined
}

const tiers: readonly { readonly tier: Tier; readonly normal: (line: string) => string }[] = [
  { tier: 'exact', normal: (line) => line },
  { tier: 'trailing-space', normal: (line) => line.trimEnd() },
  { tier: 'unicode', normal: foldLine },
]

/**
 * The strictest tier at which `old` occurs among `lines`, with all its places; undefined when it occurs nowhere.
 * Only blank lines, or none, match exactly or not at all. `accept` limits the places.
 */
export function locateLines(
  lines: readonly string[],
  old: readonly string[],
  accept: (place: number) => boolean = () => true,
): Located | undefined {
  const blank = old.every((line) => line.trim() === '')
  for (const { tier, normal } of blank ? tiers.slice(0, 1) : tiers) {
    const places = occurrences(lines.map(normal), old.map(normal)).filter(accept)
    if (places.length > 0) return { tier, places, reshape: (line) => line }
  }
  return blank ? undefined : locateShifted(lines, old, accept)
}

type Shift = (line: string) => string | undefined

function locateShifted(
  lines: readonly string[],
  old: readonly string[],
  accept: (place: number) => boolean,
): Located | undefined {
  const trim = (line: string): string => line.trim()
  const shifts = new Map<number, Shift>()
  for (const place of occurrences(lines.map(trim), old.map(trim)).filter(accept)) {
    const shift = shiftBetween(old, lines.slice(place, place + old.length))
    if (shift) shifts.set(place, shift)
  }
  if (shifts.size === 0) return undefined
  return {
    tier: 'indentation',
    places: [...shifts.keys()],
    reshape: (line, place) => (line.trim() === '' ? line.trim() : shifts.get(place)?.(line)),
  }
}

const indentOf = (line: string): string => /^[ \t]*/.exec(line)![0]

/** The one change of indentation that turns every `from` line into its `to` line; undefined when there is none. */
function shiftBetween(from: readonly string[], to: readonly string[]): Shift | undefined {
  const pairs = from.map((line, i) => [line, to[i]!] as const).filter(([line]) => line.trim() !== '')
  return shiftCandidates(...pairs[0]!).find((shift) =>
    pairs.every(([line, target]) => shift(line)?.trimEnd() === target.trimEnd()),
  )
}

function shiftCandidates(line: string, target: string): Shift[] {
  const from = indentOf(line)
  const to = indentOf(target)
  const found: Shift[] = []
  if (to.endsWith(from)) found.push((text) => to.slice(0, to.length - from.length) + text)
  if (from.endsWith(to)) {
    const extra = from.slice(0, from.length - to.length)
    found.push((text) => (text.startsWith(extra) ? text.slice(extra.length) : undefined))
  }
  for (const width of [4, 2, 8]) {
    const unit = ' '.repeat(width)
    found.push((text) => reindent(text, (indent) => indent.replaceAll(unit, '\t')))
    found.push((text) => reindent(text, (indent) => indent.replaceAll('\t', unit)))
  }
  return found
}

const reindent = (line: string, change: (indent: string) => string): string => {
  const indent = indentOf(line)
  return change(indent) + line.slice(indent.length)
}

/** Every index at which `needle` begins in `hay` (Knuth-Morris-Pratt: no input makes it quadratic). */
function occurrences(hay: readonly string[], needle: readonly string[]): number[] {
  if (needle.length === 0) return []
  const back: number[] = [0]
  for (let i = 1, k = 0; i < needle.length; i++) {
    while (k > 0 && needle[i] !== needle[k]) k = back[k - 1]!
    if (needle[i] === needle[k]) k += 1
    back.push(k)
  }
  const places: number[] = []
  for (let i = 0, k = 0; i < hay.length; i++) {
    while (k > 0 && hay[i] !== needle[k]) k = back[k - 1]!
    if (hay[i] === needle[k]) k += 1
    if (k === needle.length) {
      places.push(i - k + 1)
      k = back[k - 1]!
    }
  }
  return places
}
