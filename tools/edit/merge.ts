/** Puts new lines in the place of old ones, keeping the file's own spelling of every line that both have. */
import { diffArrays } from 'diff'
import { type Eol, type Line, splitLines } from '../text/lines.ts'

/** Above this many differing lines the two sides are not compared: all of them are new. */
const comparable = 2000

/** A line of the result: one that the file had, with its ending, or a new one that has none yet. */
export interface MergedLine extends Line {
  readonly isNew: boolean
}

/**
 * `kept` are the file's lines that matched `old` one by one. Lines that `old` and `next` share stay as the file has them,
 * new ones go through `reshape`. Undefined when a new line cannot be reshaped.
 */
export function mergeLines(
  kept: readonly Line[],
  old: readonly string[],
  next: readonly string[],
  reshape: (line: string) => string | undefined,
): MergedLine[] | undefined {
  const merged: MergedLine[] = []
  for (const line of pairLines(old, next)) {
    const own = line.kept === undefined ? undefined : kept[line.kept]
    if (own) {
      merged.push({ ...own, isNew: false })
      continue
    }
    const text = reshape(line.text)
    if (text === undefined) return undefined
    merged.push({ text, eol: '', isNew: true })
  }
  return merged
}

/** The same for text within a file: `region` matched `old`; lines without an ending take that of the line before, or `eol`. */
export function mergeText(
  region: string,
  old: string,
  next: string,
  reshape: (line: string) => string | undefined,
  eol: Eol,
): string | undefined {
  const kept = splitLines(region)
  if (kept.length === 0 || kept.at(-1)!.eol !== '') kept.push({ text: '', eol: '' })
  const merged = mergeLines(kept, old.split('\n'), next.split('\n'), reshape)
  if (!merged) return undefined
  const first = kept.find((line) => line.eol !== '')?.eol || eol
  const ended = endLines(merged, first)
  return ended.map((line, i) => (i === ended.length - 1 ? line.text : line.text + line.eol)).join('')
}

/** Every line gets an ending: its own, or that of the line before, at first `eol`. */
export function endLines<L extends Line>(lines: readonly L[], eol: Eol): L[] {
  let ending = eol
  return lines.map((line) => {
    if (line.eol !== '') ending = line.eol
    return { ...line, eol: ending }
  })
}

interface PairedLine {
  readonly text: string
  /** Index of the old line that this one is; undefined for a line of its own. */
  readonly kept?: number
}

function pairLines(old: readonly string[], next: readonly string[]): PairedLine[] {
  let head = 0
  while (head < old.length && head < next.length && old[head] === next[head]) head += 1
  let tail = 0
  while (
    tail < old.length - head &&
    tail < next.length - head &&
    old[old.length - 1 - tail] === next[next.length - 1 - tail]
  ) {
    tail += 1
  }
  const oldMiddle = old.slice(head, old.length - tail)
  const nextMiddle = next.slice(head, next.length - tail)
  return [
    ...next.slice(0, head).map((text, i) => ({ text, kept: i })),
    ...pairMiddle(oldMiddle, nextMiddle, head),
    ...next.slice(next.length - tail).map((text, i) => ({ text, kept: old.length - tail + i })),
  ]
}

function pairMiddle(old: readonly string[], next: readonly string[], offset: number): PairedLine[] {
  if (old.length + next.length > comparable) return next.map((text) => ({ text }))
  const lines: PairedLine[] = []
  let at = offset
  for (const change of diffArrays([...old], [...next])) {
    if (change.removed) at += change.value.length
    else if (change.added) lines.push(...change.value.map((text) => ({ text })))
    else lines.push(...change.value.map((text) => ({ text, kept: at++ })))
  }
  return lines
}
