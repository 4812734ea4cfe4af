/** What to tell the model when its text is not in the file: the place that is most like it, and what differs there. */
import { distance } from 'fastest-levenshtein'
import { toLf } from '../text/lines.ts'
import { foldLine } from './fold.ts'

/** Work is bounded: this much of the file and of the searched text is looked at. */
const maxFileLines = 20_000
const maxOldLines = 200
const maxLineChars = 200
/** Lines of the file that are shown. */
const maxShown = 24
const maxDifferences = 3

/**
 * A few lines of text for the model: nearest place with line numbers, and what differs. Says so when nothing in the
 * file is like the searched text.
 */
export function describeNearest(before: string, old: string): string {
  const lines = toLf(before).split('\n')
  if (lines.at(-1) === '') lines.pop()
  const wanted = trimBlankEnds(toLf(old).split('\n'))
  const start = nearestPlace(lines, wanted)
  if (start === undefined) return `Nothing in the file (${lines.length} lines) is like it. Read the file first.`
  const first = Math.max(0, start)
  const last = Math.min(lines.length, Math.max(start + wanted.length, first + 1), first + maxShown)
  const shown = lines.slice(first, last).map((line, i) => `${first + i + 1}\t${cut(line)}`)
  return [
    `Nearest place, lines ${first + 1}-${last} of ${lines.length}:`,
    ...shown,
    ...differences(lines, wanted, start),
  ].join('\n')
}

function differences(lines: readonly string[], wanted: readonly string[], start: number): string[] {
  const told: string[] = []
  for (const [i, old] of wanted.entries()) {
    const line = lines[start + i]
    if (line === old) continue
    if (told.length === maxDifferences) return [...told, 'More lines differ.']
    if (line === undefined) told.push(`The file has no line ${start + i + 1} for old ${visible(old)}.`)
    else told.push(`Line ${start + i + 1} differs in ${kindOf(line, old)}: file ${visible(line)}, old ${visible(old)}`)
  }
  return told
}

function kindOf(line: string, old: string): string {
  if (line.trimEnd() === old.trimEnd()) return 'space at the end'
  if (line.trim() === old.trim()) return 'indentation'
  if (squeeze(line) === squeeze(old)) return 'spaces'
  if (foldLine(line).trim() === foldLine(old).trim()) return 'quotes, dashes or other typographic characters'
  if (line.trim().toLowerCase() === old.trim().toLowerCase()) return 'upper and lower case'
  return 'text'
}

const squeeze = (text: string): string => text.replace(/\s+/g, '')

/** Quoted, with every character that looks like nothing or like another one spelled out. */
const visible = (text: string): string =>
  JSON.stringify(cut(text)).replace(
    /[\u007f-\u00a0\u2000-\u201f\u2028-\u202f\u205f\u2212\u3000\ufeff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

const cut = (line: string): string => (line.length > maxLineChars ? `${line.slice(0, maxLineChars)}…` : line)

function trimBlankEnds(lines: readonly string[]): string[] {
  const first = lines.findIndex((line) => line.trim() !== '')
  const last = lines.findLastIndex((line) => line.trim() !== '')
  return first < 0 ? [''] : lines.slice(first, last + 1)
}

/** Index of the line where the best-matching run begins; it may lie before the file's first line. */
function nearestPlace(lines: readonly string[], wanted: readonly string[]): number | undefined {
  const head = wanted.slice(0, maxOldLines)
  const file = lines.slice(0, maxFileLines)
  return placeByEqualLines(file, head) ?? placeBySimilarLine(file, head)
}

/** Each line that is equal but for spaces votes for the start it implies, weighing as much as it is long. */
function placeByEqualLines(lines: readonly string[], wanted: readonly string[]): number | undefined {
  const where = new Map<string, number[]>()
  for (const [i, line] of lines.entries()) {
    const key = squeeze(foldLine(line))
    if (key.length > 2) where.set(key, [...(where.get(key)?.slice(0, 50) ?? []), i])
  }
  const votes = new Map<number, number>()
  for (const [j, line] of wanted.entries()) {
    const key = squeeze(foldLine(line))
    for (const i of where.get(key) ?? []) votes.set(i - j, (votes.get(i - j) ?? 0) + key.length)
  }
  const best = [...votes].sort(([a, x], [b, y]) => y - x || a - b)[0]
  return best?.[0]
}

/** The line most like the most telling line of the text; undefined when none shares two fifths of it. */
function placeBySimilarLine(lines: readonly string[], wanted: readonly string[]): number | undefined {
  const telling = [...wanted.entries()].sort(([, a], [, b]) => b.trim().length - a.trim().length)[0]
  if (!telling) return undefined
  const [offset, text] = telling
  const target = text.trim().slice(0, maxLineChars)
  let best = 0.4
  let place: number | undefined
  for (const [i, line] of lines.entries()) {
    const candidate = line.trim().slice(0, maxLineChars)
    const longest = Math.max(candidate.length, target.length)
    // The distance is at least the difference in length: most lines need no comparison.
    if (longest === 0 || 1 - Math.abs(candidate.length - target.length) / longest <= best) continue
    const likeness = 1 - distance(candidate, target) / longest
    if (likeness > best) {
      best = likeness
      place = i - offset
    }
  }
  return place
}
