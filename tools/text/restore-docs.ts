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
  const lost = new Set<number>()
  for (const { line, last } of docBlocksOf(old.join('\n'))) {
    // With the empty lines above it, which belong to how it looks.
    if (!gone.has(line)) continue
    for (let at = line; at <= last; at++) lost.add(at)
    for (let at = line - 1; at >= 1 && old[at - 1]!.trim() === ''; at--) lost.add(at)
  }
  const lines: string[] = []
  let at = 1
  for (const { value, added, removed } of diffArrays(old, next)) {
    if (!added && !removed) lines.push(...value)
    else if (added) lines.push(...value)
    else lines.push(...value.filter((_, i) => lost.has(at + i)))
    if (!added) at += value.length
  }
  const text = lines.join('\n')
  return withEol(text.endsWith('\n') || !before.endsWith('\n') ? text : `${text}\n`, mainEol(before))
}
