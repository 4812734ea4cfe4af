/** Puts new lines in the place of old ones, keeping the file's own spelling of every line that both have. */
import { diffArrays } from 'diff'
import { type Eol, splitLines } from '../text/lines.ts'

interface Part {
  readonly text: string
  /** Empty where the line has none of its own. */
  readonly eol: Eol | ''
}

/** Above this many differing lines the two sides are not compared: all of them are new. */
const comparable = 2000

/**
 * `region` is the file's text that matched `old` line by line; the result stands in its place. Lines that `old` and
 * `next` share stay as the file has them, new ones go through `reshape` and take the ending of the line before them.
 * Undefined when a new line cannot be reshaped.
 */
export function mergeLines(
  region: string,
  old: string,
  next: string,
  reshape: (line: string) => string | undefined,
  eol: Eol,
): string | undefined {
  const kept: Part[] = splitLines(region)
  if (kept.length === 0 || kept.at(-1)!.eol !== '') kept.push({ text: '', eol: '' })
  const output: Part[] = []
  for (const line of pairLines(old.split('\n'), next.split('\n'))) {
    if (line.kept !== undefined && kept[line.kept]) {
      output.push(kept[line.kept]!)
      continue
    }
    const text = reshape(line.text)
    if (text === undefined) return undefined
    output.push({ text, eol: '' })
  }
  let ending: Eol = kept.find((part) => part.eol !== '')?.eol || eol
  return output
    .map((part, i) => {
      if (part.eol !== '') ending = part.eol
      return i === output.length - 1 ? part.text : part.text + ending
    })
    .join('')
}

interface NewLine {
  readonly text: string
  /** Index of the old line that this one is; undefined for a line of its own. */
  readonly kept?: number
}

function pairLines(old: readonly string[], next: readonly string[]): NewLine[] {
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

function pairMiddle(old: readonly string[], next: readonly string[], offset: number): NewLine[] {
  const whole = next.map((text) => ({ text }))
  if (old.length + next.length > comparable) return whole
  const lines: NewLine[] = []
  let at = offset
  for (const change of diffArrays([...old], [...next])) {
    if (change.removed) at += change.value.length
    else if (change.added) lines.push(...change.value.map((text) => ({ text })))
    else lines.push(...change.value.map((text) => ({ text, kept: at++ })))
  }
  return lines
}
