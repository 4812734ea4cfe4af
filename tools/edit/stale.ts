/** A file that changed since the model saw it is not edited blindly. */
import type { OpenFile } from '../files.ts'
import { fingerprint, ToolProblem } from '../result.ts'
import type { ToolContext } from '../types.ts'
import { describeNearest } from './nearest.ts'

/**
 * Throws ToolProblem `stale` with a fresh excerpt when the file is not what the model saw; from then on the new state counts
 * as seen, so that the next call goes through. Files that the model never saw pass.
 */
export function refuseStale({ seen }: ToolContext, file: OpenFile, near?: string): void {
  const known = seen?.get(file.path)
  const now = fingerprint(file.bytes)
  if (known === undefined || known === now) return
  seen?.set(file.path, now)
  const excerpt = near === undefined ? 'Read it again.' : describeNearest(file.text, near)
  throw new ToolProblem('stale', `${file.path} has changed since you saw it; nothing was written. ${excerpt}`)
}
