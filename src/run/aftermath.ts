/** What is done with a run's changes when it is over: a patch, a commit, a worktree that goes or stays. */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Committer, commitMessage, openCommitter } from '../git/commit.ts'
import { openShadow, type Shadow } from '../git/shadow.ts'
import type { ResultEvent, RunResult } from './output.ts'
import type { OwnWorktree } from './own-worktree.ts'

export interface Aftermath {
  /** Writes and commits what was asked for, and gives the result with it: not done when a commit could not be made. */
  conclude(result: ResultEvent, task: string, model: string): Promise<RunResult>
  close(): void
}

export interface AftermathRequest {
  readonly cwd: string
  readonly patch?: string
  readonly commit?: boolean
  readonly own?: OwnWorktree
  readonly note: (text: string) => void
}

/** Looks at the work tree before the run. Throws UsageError for `--commit` outside of a repository. */
export async function openAftermath({ cwd, patch, commit, own, note }: AftermathRequest): Promise<Aftermath> {
  const committer: Committer | undefined = commit === true ? await openCommitter(cwd) : undefined
  const shadow: Shadow | undefined = patch === undefined ? undefined : await openShadow(cwd)
  const before = await shadow?.record()

  async function committed(result: ResultEvent, task: string, model: string): Promise<RunResult> {
    const paths = result.changes.map(({ path }) => path)
    if (committer === undefined || result.exit !== 'done' || paths.length === 0) return result
    const done = await committer.commit({ paths, message: commitMessage(task, model) })
    if ('id' in done) {
      note(`committed ${done.id.slice(0, 12)}`)
      return { ...result, commit: done.id }
    }
    return { ...result, exit: 'not-done', exitCode: 1, text: `${done.refused}\n\n${result.text}`.trim() }
  }

  return {
    async conclude(result, task, model) {
      if (shadow !== undefined && before !== undefined && patch !== undefined) {
        writeFileSync(resolve(patch), await shadow.patch(before, await shadow.record()))
      }
      const concluded = await committed(result, task, model)
      return (
        (await own?.conclude(concluded, concluded.commit !== undefined || (patch !== undefined && commit !== true))) ??
        concluded
      )
    },
    close: () => shadow?.remove(),
  }
}
