/** Notices a reply that would not end by itself: the same again and again, or a line without an end. */
import type { Turn } from './turn.ts'

/** Rounds of the same, and characters of them, that nobody writes on purpose. */
const circle = { rounds: 4, chars: 1200 } as const
/** The end of a reply that is looked at, in characters. */
const kept = 8000
/** It is looked at after so many more characters. */
const every = 200
/** By this end an earlier round is found, in characters. */
const probeChars = 40
/** A line of code that a small model writes is at most so long, unless the files in play have such lines. */
const longestLine = 1000

/**
 * Tells, as a reply is written, whether it has become endless. A small model falls into a round that it cannot leave, and would
 * go on to the reply's length limit. What the files in play hold may be written again. Undefined for larger models: they say the
 * same again and again when they were asked to.
 */
export async function endless({
  info,
  filesInPlay,
  toolContext: { workspace },
}: Turn): Promise<((words: string) => boolean) | undefined> {
  if (info.finishes !== 'edits') return undefined
  const held = (path: string): Promise<string> =>
    workspace.read(path).then(
      (bytes) => bytes.toString(),
      () => '' /* Gone, or no file: it holds nothing. */,
    )
  const texts = await Promise.all(filesInPlay().map(held))
  const widest = texts
    .flatMap((text) => text.split('\n'))
    .reduce((most, { length }) => Math.max(most, 2 * length), longestLine)
  let tail = ''
  let unseen = 0
  let line = 0
  return (words) => {
    const newline = words.lastIndexOf('\n')
    line = newline < 0 ? line + words.length : words.length - newline - 1
    if (line > widest) return true
    tail = (tail + words).slice(-kept)
    unseen += words.length
    if (unseen < every) return false
    unseen = 0
    const rounds = repeated(tail)
    return rounds !== undefined && !texts.some((text) => text.includes(rounds))
  }
}

/** The rounds at the end of a text; undefined where there are none. */
function repeated(text: string): string | undefined {
  const from = text.length - probeChars
  const before = from < 1 ? -1 : text.lastIndexOf(text.slice(from), from - 1)
  if (before < 0) return undefined
  const period = from - before
  const chars = Math.max(circle.rounds * period, circle.chars)
  if (text.length < chars) return undefined
  const end = text.slice(-chars)
  return end.startsWith(end.slice(period)) ? end : undefined
}
