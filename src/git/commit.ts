/** Commits what a run changed, and nothing else: the user's index, hooks and other changes stay as they are. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unfiltered } from '../../sandbox/index.ts'
import { UsageError } from '../usage-error.ts'
import { type Git, gitIn } from './git.ts'

export interface CommitRequest {
  /** Relative to the work tree. */
  readonly paths: readonly string[]
  readonly message: string
}

export interface Committer {
  /** Gives the commit, or why there is none: a file held changes of the user's before. */
  commit(request: CommitRequest): Promise<{ readonly id: string } | { readonly refused: string }>
}

/** Notes what is changed already, before the run. Throws UsageError where there is no repository to commit to. */
export async function openCommitter(root: string): Promise<Committer> {
  const git = gitIn(root)
  const prefix = await git(['rev-parse', '--show-prefix']).catch(() => {
    throw new UsageError(`--commit: ${root} is not in a git repository`)
  })
  const words = [
    'status',
    '--porcelain=v1',
    '-z',
    '--no-renames',
    '--untracked-files=all',
    '--ignore-submodules=all',
    '--',
    '.',
  ]
  const dirty = new Set(
    (await git(words))
      .split('\0')
      .filter((line) => line !== '')
      .map((line) => line.slice(3 + prefix.trim().length)),
  )
  return {
    async commit({ paths, message }) {
      const mixed = paths.filter((path) => dirty.has(path))
      if (mixed.length > 0) {
        return {
          refused: `not committed: ${mixed.join(', ')} had uncommitted changes before the run, which are not ours to commit`,
        }
      }
      const filtered = await unfiltered(root, paths)
      if (filtered.length > 0) {
        return {
          refused: `not committed: ${filtered.join(', ')} would pass through a program that the repository's own configuration names (filter.*), which is not run: set it up in your own configuration (for LFS: git lfs install), or commit them yourself`,
        }
      }
      return { id: await commitPaths(git, paths, message) }
    },
  }
}

async function commitPaths(git: Git, paths: readonly string[], message: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'cachalot-index-'))
  const index = { GIT_INDEX_FILE: join(folder, 'index') }
  try {
    const head = (await git(['rev-parse', '--verify', '-q', 'HEAD']).catch(() => '')).trim()
    await git(['read-tree', head === '' ? '--empty' : head], index)
    // Not `add`: that would ask git about each submodule, with that one's own settings.
    await git(['update-index', '-z', '--add', '--remove', '--replace', '--stdin'], index, paths.join('\0'))
    const tree = (await git(['write-tree'], index)).trim()
    const email = (await git(['config', 'user.email']).catch(() => '')).trim()
    const nobody = { GIT_AUTHOR_NAME: 'Cachalot', GIT_AUTHOR_EMAIL: 'cachalot@localhost' }
    const author =
      email === '' ? { ...nobody, GIT_COMMITTER_NAME: 'Cachalot', GIT_COMMITTER_EMAIL: 'cachalot@localhost' } : {}
    const parent = head === '' ? [] : ['-p', head]
    const id = (await git(['commit-tree', tree, ...parent, '-m', message], author)).trim()
    await git(['update-ref', '-m', 'cachalot run --commit', 'HEAD', id, head === '' ? '0'.repeat(40) : head], author)
    // The user's index learns of these files alone, so that they are not shown as undone.
    await git(['reset', '-q', '--', ...paths])
    return id
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A message for a task: its first line as the subject, and who helped. */
export function commitMessage(task: string, model: string): string {
  const line = (task.split('\n').find((each) => each.trim() !== '') ?? 'Change').trim()
  const subject = line.length > 72 ? `${line.slice(0, 71)}…` : line
  return `${subject}\n\nAssisted-by: Cachalot (${model.replace(/[\r\n]+/g, ' ')})\n`
}
