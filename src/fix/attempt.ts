/** A place of its own for one attempt: the same files as the work tree, so that attempts do not see each other. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Shadow } from '../git/shadow.ts'
import { linkDependencies, openWorktree, throwaway } from '../git/worktree.ts'
import { goesWithUs } from '../left-behind.ts'
import { UsageError } from '../usage-error.ts'

export interface AttemptPlace {
  /** Absolute path of the folder to work in. */
  readonly root: string
  remove(): Promise<void>
}

interface AttemptRequest {
  readonly cwd: string
  readonly stateFolder: string
  readonly shadow: Shadow
  /** The record that the place begins with, uncommitted changes included. */
  readonly record: string
}

/** A git worktree where there is a repository with a commit, else a plain folder; in both the files of the record. */
export async function openAttemptPlace({ cwd, stateFolder, shadow, record }: AttemptRequest): Promise<AttemptPlace> {
  const place = await inWorktree(cwd, stateFolder)
  for (const name of readdirSync(place.root)) {
    if (name !== '.git') rmSync(join(place.root, name), { recursive: true, force: true })
  }
  await shadow.writeOut(record, place.root)
  await linkDependencies(cwd, place.root)
  return place
}

async function inWorktree(cwd: string, stateFolder: string): Promise<AttemptPlace> {
  try {
    const { root, remove } = await openWorktree({ cwd, stateFolder })
    return { root, remove }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const root = join(stateFolder, 'worktrees', throwaway(randomBytes(6).toString('hex')))
    mkdirSync(root, { recursive: true, mode: 0o700 })
    const gone = goesWithUs(root)
    const remove = async (): Promise<void> => {
      rmSync(root, { recursive: true, force: true })
      gone()
    }
    return { root, remove }
  }
}
