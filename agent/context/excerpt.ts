/** The part of a long file that a task is about, for a model that cannot write the whole of it again. */
import { definitionsOf } from '../../tools/index.ts'

/** A file longer than this is cut for a small model: its answers to longer ones were seen to be cut at their limit. */
const longest = { lines: 120, tokens: 1500 } as const
/** Lines of an excerpt; it grows to the next empty line by a few more. */
const window = 44
const slack = 14
/** Share of the file that an excerpt may be. */
const most = 0.75

/** Whole lines of a file. */
export interface Excerpt {
  readonly text: string
  /** Numbers of its first and last line, from 1. */
  readonly from: number
  readonly to: number
  readonly total: number
}

export const isLong = (text: string, tokens: number): boolean =>
  tokens > longest.tokens || text.split('\n').length > longest.lines

/**
 * The lines around what the task names: where the most, and the rarest, of its words stand close to each other, those that
 * are defined there first; or around a line that it names (`path:12`). Undefined where none of its words is in the file.
 */
export function excerptFor(task: string, path: string, text: string): Excerpt | undefined {
  const lines = text.replace(/\n$/, '').split('\n')
  const weights = new Map<number, number>()
  const add = (line: number, weight: number): unknown => weights.set(line, (weights.get(line) ?? 0) + weight)
  const named = lineNamed(task, path)
  if (named !== undefined && named <= lines.length) add(named - 1, 100)
  for (const word of wordsOf(task, path)) {
    const whole = new RegExp(`(?<![\\p{L}\\p{N}_$])${literal(word)}(?![\\p{L}\\p{N}_$])`, 'u')
    const hits = lines.flatMap((line, at) => (whole.test(line) ? [at] : []))
    for (const at of hits) add(at, rank(lines[at] ?? '', word) / hits.length)
  }
  if (weights.size === 0) return undefined
  const { first, last } = heaviest(weights, Math.min(window, lines.length))
  const room = Math.floor((window - (last - first + 1)) / 2)
  const from = emptyAbove(lines, Math.max(0, first - room))
  const to = emptyBelow(lines, Math.min(lines.length - 1, last + room))
  // What is nearly all of the file can as well be all of it.
  if (to - from + 1 > lines.length * most) return undefined
  return excerptOf(lines, from + 1, to + 1)
}

/** These lines of a file, from 1, both included. */
export const excerptOf = (lines: readonly string[], from: number, to: number): Excerpt => ({
  text: lines.slice(from - 1, to).join('\n'),
  from,
  to,
  total: lines.length,
})

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')

/** The first and the last line of weight in the window that weighs most; the first of equals. */
function heaviest(
  weights: ReadonlyMap<number, number>,
  length: number,
): { readonly first: number; readonly last: number } {
  const at = [...weights.keys()].sort((a, b) => a - b)
  let best = { first: at[0]!, last: at[0]!, weight: -1 }
  for (const first of at) {
    const inside = at.filter((line) => line >= first && line < first + length)
    const weight = inside.reduce((sum, line) => sum + (weights.get(line) ?? 0), 0)
    if (weight > best.weight) best = { first, last: inside.at(-1)!, weight }
  }
  return best
}

/** Up to a line below an empty one, so that a comment or function is not cut in two; as it is where none is near. */
function emptyAbove(lines: readonly string[], from: number): number {
  for (let at = from; at > 0 && at > from - slack; at -= 1) if (lines[at - 1]?.trim() === '') return at
  return from <= slack ? 0 : from
}

function emptyBelow(lines: readonly string[], to: number): number {
  for (let at = to; at < lines.length - 1 && at < to + slack; at += 1) if (lines[at + 1]?.trim() === '') return at
  return lines.length - 1 - to <= slack ? lines.length - 1 : to
}

const common = new Set(
  'the and for with that this from into not but its has have was are should must can will when then than bug line fix find file change add make use function class method default value option type return documented'.split(
    ' ',
  ),
)

function wordsOf(task: string, path: string): Set<string> {
  const words = task.replaceAll(path, ' ').match(/[\p{L}_$][\p{L}\p{N}_$]{2,}/gu) ?? []
  return new Set(words.filter((word) => !common.has(word.toLowerCase())).slice(0, 60))
}

/** How much a line says of a name that stands in it: declared after a keyword, defined otherwise, or used. Roughly. */
function rank(line: string, word: string): number {
  const name = literal(word)
  const declared = `\\b(?:def|class|function|fn|func|interface|type|enum|struct|const|let|var|readonly)\\s+${name}(?![\\w$])`
  if (new RegExp(declared).test(line)) return 8
  return new RegExp(`^\\s*(?:async\\s+)?${name}\\s*\\??\\s*(?:\\(.*\\{|[:=])`).test(line) ? 3 : 1
}

function lineNamed(task: string, path: string): number | undefined {
  const found = new RegExp(`${literal(path)}(?::|#L|", line )(\\d{1,6})`).exec(task)?.[1]
  return found === undefined ? undefined : Number(found)
}

/** Lines that stand in the answer too, in any order. */
const kept = 0.6

/**
 * The whole file with an answer in the place of the excerpt that it rewrites. Undefined where the excerpt does not stand in the
 * file just once, or the answer is not that excerpt again: then it is a piece of it, or something else.
 */
export function splice(before: string, excerpt: string, answer: string): string | undefined {
  const at = before.indexOf(excerpt)
  if (at === -1 || before.includes(excerpt, at + 1)) return undefined
  // Nearer to the whole file than to the excerpt: then it is the whole file.
  if (answer.length > (before.length + excerpt.length) / 2) return undefined
  const lines = (text: string): string[] => text.split('\n').flatMap((line) => line.trim() || [])
  const given = new Set(lines(answer))
  const isKept = (old: readonly string[]): boolean => old.filter((line) => given.has(line)).length >= old.length * kept
  if (!isKept(lines(excerpt)) || !isKept(lines(endOfAnother(excerpt)))) return undefined
  const body = unclosed(answer.replace(/^(?:[ \t]*\n)+/, '').trimEnd(), excerpt)
  return `${before.slice(0, at)}${body}${before.slice(at + excerpt.length)}`
}

/** The code that an excerpt begins with and that belongs to something above it: an answer that is only the function below lacks it. */
function endOfAnother(excerpt: string): string {
  const first = definitionsOf(excerpt)[0]?.line ?? 1
  const above = excerpt.split('\n').slice(0, first - 1)
  return above.filter((line) => !/^\s*(?:#|\/\/|\/?\*|@|[rRbBuUfF]{0,2}(?:"""|'''))/.test(line)).join('\n')
}

/** Without the brackets that the answer closes at its end, and the excerpt leaves open for the lines after it. */
function unclosed(answer: string, excerpt: string): string {
  const open = (text: string): number => (text.match(/[{[(]/g)?.length ?? 0) - (text.match(/[}\])]/g)?.length ?? 0)
  const lines = answer.split('\n')
  while (open(lines.join('\n')) < open(excerpt) && /^\s*[}\])]+[;,]?\s*$/.test(lines.at(-1) ?? '')) lines.pop()
  return lines.join('\n').trimEnd()
}
