/** A file that is another for a while, to be looked at by checks, and then what it was. */

import { ToolProblem } from '../result.ts'
import type { ToolContext } from '../types.ts'
import { beginJournal, endJournal } from './journal.ts'

export interface Trial {
  /** Relative to the root. */
  readonly path: string
  /** What the file is, and is again afterwards. */
  readonly now: Buffer
  readonly tried: Buffer
}

/**
 * Puts the tried text into the file, lets `work` look at it, and puts back what was there, whatever becomes of the work.
 * Journalled as the change back, so that `recoverEdits` makes it after a crash. Rejects with WorkspaceError or the system's
 * error, the file as it was, or as `work` does.
 */
export async function onTrial<Result>(
  { workspace, journal }: Pick<ToolContext, 'workspace' | 'journal'>,
  { path, now, tried }: Trial,
  work: () => Promise<Result>,
): Promise<Result> {
  if (!(await workspace.read(path)).equals(now)) throw new ToolProblem('stale', `${path} has changed meanwhile.`)
  const back = [{ path, before: tried, after: now }]
  const file = journal && (await beginJournal(journal, workspace.root, back, { trial: true }))
  try {
    await workspace.write(path, tried)
    return await work()
  } finally {
    // Who has written to it meanwhile keeps what he wrote.
    if ((await workspace.read(path)).equals(tried)) await workspace.write(path, now)
    if (file) await endJournal(file)
  }
}
