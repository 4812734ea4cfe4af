/** `--worktree`: the run works in a worktree of its own, and what is there at the end decides whether it stays. */
import { openWorktree, type Worktree, type WorktreeRequest } from '../git/worktree.ts'
import { plural } from '../terminal/numbers.ts'
import type { RunResult } from './output.ts'

export interface OwnWorktree {
  readonly worktree: Worktree
  /** Takes the worktree away when nothing would be lost by it, else says where it is. `kept`: a commit or patch has it all. */
  conclude(result: RunResult, kept: boolean): Promise<RunResult>
  /** For a run that never came to its end: takes the worktree away unless something was changed in it. */
  close(): Promise<void>
}

/** Throws UsageError where there is no repository with a commit. */
export async function openOwnWorktree(request: WorktreeRequest, note: (text: string) => void): Promise<OwnWorktree> {
  const worktree = await openWorktree(request)
  const { top, branch, dirty, start } = worktree
  note(`working in ${top}, on the branch ${branch}, from ${start.slice(0, 12)}`)
  if (dirty > 0) {
    note(`${plural(dirty, 'file')} with changes that are in no commit: not in the worktree, and left as they are`)
  }
  let concluded = false
  return {
    worktree,
    async close() {
      if (!concluded && (await worktree.unchanged())) await worktree.remove()
    },
    async conclude(result, kept) {
      concluded = true
      if (result.changes.length === 0 || kept) {
        await worktree.remove()
        return result.commit === undefined ? result : { ...result, branch }
      }
      note(
        `the changes are in ${top} (branch ${branch}, not committed). To drop them: git worktree remove --force ${top}`,
      )
      return { ...result, worktree: top, branch }
    },
  }
}
