/** Files that are others for a while, to be looked at by checks, and then what they were. */

import { ToolProblem } from '../result.ts'
import type { ToolContext } from '../types.ts'
import { beginJournal, endJournal, type JournaledFile } from './journal.ts'

type Place = Pick<ToolContext, 'workspace' | 'journal'>

/**
 * Does work that leaves these files as they are after it: `recoverEdits` makes them so where a crash comes before its end.
 * `trial`: other texts are tried meanwhile. Rejects as the work does, or with the system's error before it.
 */
export async function journalled<Result>(
  { workspace, journal }: Place,
  files: readonly JournaledFile[],
  { trial }: { readonly trial: boolean },
  work: () => Promise<Result>,
): Promise<Result> {
  const isNeeded = journal !== undefined && files.length > 0
  const file = isNeeded ? await beginJournal(journal, workspace.root, files, { trial }) : undefined
  try {
    return await work()
  } finally {
    if (file !== undefined) await endJournal(file)
  }
}

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
  place: Place,
  { path, now, tried }: Trial,
  work: () => Promise<Result>,
): Promise<Result> {
  const { workspace } = place
  if (!(await workspace.read(path)).equals(now)) throw new ToolProblem('stale', `${path} has changed meanwhile.`)
  return await journalled(place, [{ path, before: tried, after: now }], { trial: true }, async () => {
    try {
      await workspace.write(path, tried)
      return await work()
    } finally {
      // Who has written to it meanwhile keeps what he wrote.
      if ((await workspace.read(path)).equals(tried)) await workspace.write(path, now)
    }
  })
}
