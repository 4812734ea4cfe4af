/** Files that instruct an agent or set it up are taken from the base branch: a pull request may not bring its own. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { gitIn } from '../git/git.ts'

/** What Cachalot reads from a work tree to be told what to do, at its top. */
export const instructionFiles: readonly string[] = ['AGENTS.md', 'CLAUDE.md', '.cachalot', '.cachalotignore']

/**
 * Puts these files as they are in a commit, and takes those away that are not in it. Gives the names that the commit has.
 * Rejects when git does not know the commit.
 */
export async function takeFromBase(root: string, commit: string): Promise<readonly string[]> {
  const git = gitIn(root)
  const listed = await git(['ls-tree', '-z', '--name-only', commit, '--', ...instructionFiles])
  const there = listed.split('\0').filter((name) => name !== '')
  for (const name of instructionFiles) rmSync(join(root, name), { recursive: true, force: true })
  if (there.length > 0) await git(['restore', `--source=${commit}`, '--worktree', '--', ...there])
  return there
}

/** Puts the same files back as the checked out commit has them. */
export const putBack = (root: string): Promise<readonly string[]> => takeFromBase(root, 'HEAD')
