/** Puts back the comments and docstrings that a new text of a file leaves out. */
import { diffArrays } from 'diff'
import { docBlocksOf } from './definitions.ts'
import { mainEol, toLf, withEol } from './lines.ts'
import { whatIsLost } from './loss.ts'

/** More lines than this on both sides together are not compared. */
const comparable = 20_000

/**
 * `after` with the comment blocks and docstrings of `before` that `whatIsLost` misses in it, each where it stood between
 * the lines that both texts have; so also the docstring at the end of a file. Undefined when nothing of the kind is lost.
 */
export function restoreDocs(before: string, after: string): string | undefined {
  const gone = new Set(whatIsLost(before, after).flatMap((loss) => (loss.kind === 'doc' ? [loss.line] : [])))
  if (gone.size === 0) return undefined
  const old = toLf(before).split('\n')
  const next = toLf(after).split('\n')
  if (old.length + next.length > comparable) return undefined
  const runs = docBlocksOf(old.join('\n'))
    .filter(({ line }) => gone.has(line))
    .map(({ line, last }) => {
      // With the empty lines above it, which belong to how it looks.
      let first = line
      while (first > 1 && old[first - 2]!.trim() === '') first--
      return { first, last }
    })
  const inRun = (at: number): boolean => runs.some(({ first, last }) => at >= first && at <= last)
  // A lost block takes no part in the comparison: an empty line of its own that the new text has elsewhere would cut it.
  const kept = old.map((text, i) => ({ text, at: i + 1 })).filter(({ at }) => !inRun(at))
  const lines: string[] = []
  let k = 0
  /** Puts in whole every block that stood above the k-th kept line. */
  const putBack = (): void => {
    const above = kept[k]?.at ?? Number.POSITIVE_INFINITY
    for (let run = runs[0]; run !== undefined && run.first < above; run = runs[0]) {
      lines.push(...old.slice(run.first - 1, run.last))
      runs.shift()
    }
  }
  let replacing = false
  for (const { value, added, removed } of diffArrays(
    kept.map(({ text }) => text),
    next,
  )) {
    if (added) {
      // What stood below the lines that these replace stays below them, what stood at the end of the file at its end.
      if (!replacing && kept.slice(k).some(({ text }) => text.trim() !== '')) putBack()
      lines.push(...value)
      replacing = false
      continue
    }
    replacing = removed
    for (const text of value) {
      putBack()
      if (!removed) lines.push(text)
      k++
    }
  }
  putBack()
  const text = lines.join('\n')
  return withEol(text.endsWith('\n') || !before.endsWith('\n') ? text : `${text}\n`, mainEol(before))
}
