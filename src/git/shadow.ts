/** A work tree as git objects of our own: what changed, also by commands, without touching the user's repository. */
import { execFile } from 'node:child_process'
import { lstatSync, mkdirSync, mkdtempSync, rmSync, type Stats, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { goesWithUs } from '../left-behind.ts'

const execute = promisify(execFile)

/** One file that differs between two records. Texts are null where there is no file, or none that is text. */
export interface TreeChange {
  /** Relative to the work tree, with `/`. */
  readonly path: string
  readonly kind: 'added' | 'changed' | 'deleted'
  readonly before: string | null
  readonly after: string | null
}

export interface Shadow {
  /** Records the work tree as it is (tracked and untracked, not what `.gitignore` leaves out) and gives its name. */
  record(): Promise<string>
  changes(from: string, to: string): Promise<readonly TreeChange[]>
  /** What turns one record into the other, for `git apply`: binary files and modes too. Empty when nothing differs. */
  patch(from: string, to: string): Promise<string>
  /** Writes the files of a record into another folder. */
  writeOut(record: string, folder: string): Promise<void>
  /** Applies a patch of `patch` to the work tree. Rejects when it does not fit, and changes nothing then. */
  apply(patch: string): Promise<void>
  /** Puts files of the work tree back to what they are in a record; one that is not in it is deleted. */
  restore(from: string, paths: readonly string[]): Promise<void>
  /** Folders that `.gitignore` leaves out, relative to the work tree; of folders in each other the outer one. */
  ignored(): Promise<readonly string[]>
  remove(): void
}

/** The user's settings and the repository's attributes could run programs (filters) or change bytes: none of them count. */
const attributes = '* -text -eol -filter -ident -working-tree-encoding\n'
const most = 512 * 1024 * 1024

/** Opens a repository of our own over a folder, which need not be one of git's. Throws when git is not there. */
export async function openShadow(root: string): Promise<Shadow> {
  const folder = mkdtempSync(join(tmpdir(), 'cachalot-shadow-'))
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    GIT_DIR: folder,
    GIT_WORK_TREE: root,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_LITERAL_PATHSPECS: '1',
  }
  const git = async (...words: string[]): Promise<string> => {
    const options = { cwd: root, env: environment, maxBuffer: most, encoding: 'utf8' as const }
    return (await execute('git', ['-c', 'core.hooksPath=/dev/null', '-c', 'core.autocrlf=false', ...words], options))
      .stdout
  }
  const give = async (words: readonly string[], input: string): Promise<void> => {
    const child = execute('git', [...words], { cwd: root, env: environment, maxBuffer: most })
    child.child.stdin?.on('error', () => undefined) // it ended without reading: the exit code tells
    child.child.stdin?.end(input)
    await child
  }
  const gone = goesWithUs(folder)
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true })
    gone()
  }
  try {
    await git('init', '-q')
  } catch (error) {
    remove()
    throw error
  }
  mkdirSync(join(folder, 'info'), { recursive: true })
  writeFileSync(join(folder, 'info', 'attributes'), attributes)

  const textIn = async (tree: string, path: string): Promise<string | null> => {
    const text = await git('cat-file', 'blob', `${tree}:${path}`).catch(() => null) // none there, or a link to a repository
    return text?.includes('\0') === true ? null : text
  }
  return {
    async record() {
      // Not `add`: that would ask git about each nested repository, with that one's own settings, which may name programs.
      const listed = await git('ls-files', '-z', '--cached', '--others', '--exclude-standard')
      const paths = listed.split('\0').filter((path) => path !== '' && !path.endsWith('/'))
      const gone = noFiles(root, paths)
      if (gone.size > 0) await give(['update-index', '-z', '--force-remove', '--stdin'], [...gone].join('\0'))
      const there = paths.filter((path) => !gone.has(path))
      await give(['update-index', '-z', '--add', '--remove', '--replace', '--stdin'], there.join('\0'))
      return (await git('write-tree')).trim()
    },
    async changes(from, to) {
      const words = (await git('diff-tree', '-r', '-z', '--no-renames', '--name-status', from, to)).split('\0')
      const found: TreeChange[] = []
      for (let at = 0; at + 1 < words.length; at += 2) {
        const path = words[at + 1] ?? ''
        const kind = words[at] === 'A' ? 'added' : words[at] === 'D' ? 'deleted' : 'changed'
        found.push({ path, kind, before: await textIn(from, path), after: await textIn(to, path) })
      }
      return found
    },
    async ignored() {
      const listed = await git('ls-files', '-z', '--others', '--ignored', '--exclude-standard', '--directory')
      return listed.split('\0').flatMap((path) => (path.endsWith('/') ? path.slice(0, -1) : []))
    },
    patch: (from, to) => git('diff-tree', '-p', '--binary', '--no-renames', '--no-ext-diff', from, to),
    async restore(from, paths) {
      if (paths.length === 0) return
      await git('restore', `--source=${from}`, '--staged', '--worktree', '--no-overlay', '--', ...paths)
    },
    async writeOut(record, into) {
      const index = join(folder, 'index-out')
      await execute('git', ['read-tree', record], { cwd: root, env: { ...environment, GIT_INDEX_FILE: index } })
      const words = ['checkout-index', '-a', '-f', '-q', `--prefix=${into}/`]
      await execute('git', words, { cwd: root, env: { ...environment, GIT_INDEX_FILE: index } })
      rmSync(index)
    },
    async apply(patch) {
      const file = join(folder, 'to-apply.patch')
      writeFileSync(file, patch)
      await git('apply', '--whitespace=nowarn', file)
    },
    remove,
  }
}

/** Paths that have become folders, and those whose folder has become a link: what is seen there belongs elsewhere. */
function noFiles(root: string, paths: readonly string[]): ReadonlySet<string> {
  const kindOf = (path: string): Stats | undefined => {
    try {
      return lstatSync(join(root, path))
    } catch {
      // Gone, or below what is no folder any more: git takes it out of the record.
      return undefined
    }
  }
  const known = new Map<string, boolean>([['.', false]])
  const isBeyond = (folder: string): boolean => {
    const before = known.get(folder)
    if (before !== undefined) return before
    const beyond = isBeyond(dirname(folder)) || kindOf(folder)?.isSymbolicLink() === true
    known.set(folder, beyond)
    return beyond
  }
  return new Set(paths.filter((path) => isBeyond(dirname(path)) || kindOf(path)?.isDirectory() === true))
}
