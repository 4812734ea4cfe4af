/** A git worktree of our own: a run can change files in it while the user's own tree stays as it is. */
import { randomBytes } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { isAlive } from '../../sandbox/index.ts'
import { goesWithUs } from '../left-behind.ts'
import { UsageError } from '../usage-error.ts'
import { gitIn } from './git.ts'

export interface Worktree {
  /** Absolute path of the worktree. */
  readonly top: string
  /** The folder in it that stands for the one the user works in. */
  readonly root: string
  /** Undefined when its HEAD is on no branch. */
  readonly branch: string | undefined
  /** The commit it began at. */
  readonly start: string
  /** Files of the user's tree with changes that are not in a commit, and so not in the worktree. */
  readonly dirty: number
  /** Whether no file in it differs from its commit. */
  unchanged(): Promise<boolean>
  /** Takes the folder away; the branch too, unless it has a commit of its own. Nothing else is touched. */
  remove(): Promise<void>
}

export interface WorktreeRequest {
  /** Absolute, real path of the folder the user works in. */
  readonly cwd: string
  /** Worktrees are made below it, in `worktrees/`. */
  readonly stateFolder: string
  /** A branch is made with this in its name; without it, none is. */
  readonly name?: string
}

/** What dependencies are installed into, by usage; ignored by git, so a worktree has none of them by itself. */
const dependencyFolders = ['node_modules', '.venv', 'venv']

/**
 * Makes a worktree at HEAD. Folders of installed dependencies are linked into it, so that checks run there; commands
 * cannot write through such a link. Throws UsageError where there is no repository with a commit.
 */
export async function openWorktree({ cwd, stateFolder, name }: WorktreeRequest): Promise<Worktree> {
  const git = gitIn(cwd)
  const start = (await git(['rev-parse', '--verify', '-q', 'HEAD']).catch(() => '')).trim()
  if (start === '') throw new UsageError(`a worktree needs a git repository with a commit, and ${cwd} is in none`)
  const prefix = (await git(['rev-parse', '--show-prefix'])).trim()
  const dirty =
    (await git(['status', '--porcelain=v1', '-z', '--no-renames', '--ignore-submodules=all'])).split('\0').length - 1
  const id = randomBytes(3).toString('hex')
  const branch = name === undefined ? undefined : `cachalot/${slug(name)}-${id}`
  const folder = join(stateFolder, 'worktrees')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  await removeLeft(folder, git)
  const top = join(folder, branch === undefined ? throwaway(id) : `${slug(basename(cwd))}-${id}`)
  const head = branch === undefined ? ['--detach'] : ['-b', branch]
  await git(['worktree', 'add', '-q', ...head, top, start])
  const gone = branch === undefined ? goesWithUs(top, ownPartOf(top)) : () => undefined
  const root = join(top, prefix)
  mkdirSync(root, { recursive: true })
  const linked = await linkDependencies(cwd, root)
  return {
    ...{ top, root, branch, start, dirty },
    async unchanged() {
      const differing = (await gitIn(top)(['status', '--porcelain=v1', '-z', '--ignore-submodules=all']))
        .split('\0')
        .filter((line) => line !== '')
      return differing.every((line) => linked.some((name) => `/${line.slice(3)}`.endsWith(`/${name}`)))
    },
    async remove() {
      await git(['worktree', 'remove', '--force', top])
      gone()
      if (branch === undefined) return
      const now = (await git(['rev-parse', branch])).trim()
      if (now === start) await git(['branch', '-q', '-D', branch])
    },
  }
}

/** Where the repository keeps what is of this worktree only: read before any command of the model ran in it. */
const ownPartOf = (top: string): string =>
  readFileSync(join(top, '.git'), 'utf8')
    .replace(/^gitdir: /, '')
    .trim()

/** The name of a folder that nobody wants once this process is gone. */
export const throwaway = (id: string): string => `attempt-${process.pid}-${id}`

/** Takes away what processes that were killed left of their attempts. */
async function removeLeft(folder: string, git: ReturnType<typeof gitIn>): Promise<void> {
  const left = readdirSync(folder).filter((name) => {
    const pid = /^attempt-(\d+)-/.exec(name)?.[1]
    return pid !== undefined && !isAlive(Number(pid))
  })
  if (left.length === 0) return
  for (const name of left) rmSync(join(folder, name), { recursive: true, force: true })
  // The repositories they belonged to forget them; of others than this one git does so by itself one day.
  await git(['worktree', 'prune'])
}

/** Links folders of installed dependencies of one folder into another, where they are ignored by git and not there yet; gives their names. */
export async function linkDependencies(from: string, to: string): Promise<string[]> {
  const linked: string[] = []
  for (const name of dependencyFolders) {
    const source = join(from, name)
    if (!existsSync(source) || lstatSync(join(to, name), { throwIfNoEntry: false }) !== undefined) continue
    // Exit 1: not ignored, so it is in the worktree already or is none of what we look for. 128: no repository.
    const ignored = await gitIn(from)(['check-ignore', '-q', name]).then(
      () => true,
      (error: { code?: number }) => error.code === 128,
    )
    if (!ignored) continue
    symlinkSync(source, join(to, name))
    linked.push(name)
  }
  return linked
}

const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 32)
    .replace(/-+$/, '') || 'task'
