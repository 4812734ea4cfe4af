/** What stays read-only inside a writable folder: git metadata, and files that tell agents, editors or CI what to run. */
import { type Dirent, readdirSync } from 'node:fs'
import path from 'node:path'
import { lookAt } from './look.ts'
import { isInside, realPath } from './policy.ts'
import { readBeginning } from './workspace/read.ts'

/** Names that programs outside obey. Only those that exist can be held: a mount needs something to stand on. */
export const PROTECTED_NAMES: readonly string[] = [
  ...['.cachalot', 'AGENTS.md', 'CLAUDE.md', '.github/workflows', '.gitlab-ci.yml', '.circleci', '.forgejo/workflows'],
  ...['.gitea/workflows', '.vscode', '.idea', '.husky', '.envrc', '.mcp.json', '.claude', '.gitmodules'],
]

/** How deep below a root nested repositories are looked for, and after how many folders the search stops. */
export const MAX_DEPTH = 4
export const MAX_FOLDERS = 4000

/**
 * Everything below a writable folder that must stay as it is, as real absolute paths: `.git` folders and pointer
 * files with what they point to, and the protected names.
 *
 * @param entries what gitEntries gives, when somebody has looked already.
 */
export function protectedPaths(
  root: string,
  names: readonly string[] = PROTECTED_NAMES,
  entries: readonly string[] = gitEntries(root),
): string[] {
  const found = new Set<string>()
  for (const name of names) addExisting(found, path.join(root, name))
  for (const git of entries) {
    // A link cannot be held by a mount; what it leads to can, and the tripwire watches the link.
    if (!isLink(git)) found.add(git)
    for (const folder of gitFolders(git)) if (isInside(folder, root)) found.add(folder)
  }
  return [...found]
}

/** What in a `.git` makes git run programs or look elsewhere. */
const GIT_GUARDED = [
  ...['config', 'config.worktree', 'hooks', 'info', 'commondir', 'gitdir', 'modules', 'worktrees', 'objects/info'],
]

/**
 * The same for the git tool: the repository of this folder is open but for what runs programs; nested ones are not. The
 * protected names are open too: a switch that cannot write one of them would stop half-way.
 */
export function gitToolPaths(root: string, entries: readonly string[] = gitEntries(root)): string[] {
  const own = path.join(root, '.git')
  const held = protectedPaths(root, [], entries)
  if (isFile(own) || isLink(own)) return held
  const found = new Set(held.filter((file) => file !== own))
  for (const name of GIT_GUARDED) addExisting(found, path.join(own, name))
  return [...found]
}

/** Adds what a name leads to, when it is there. */
function addExisting(found: Set<string>, file: string): void {
  const real = realPath(file)
  if (real !== undefined) found.add(real)
}

/** Every `.git` (folder, file or link) at most MAX_DEPTH below the root, nearest first. */
export function gitEntries(root: string): readonly string[] {
  const found: string[] = []
  const queue: [folder: string, depth: number][] = [[root, 0]]
  for (let folders = 0; queue.length > 0 && folders < MAX_FOLDERS; folders++) {
    const [folder, depth] = queue.shift()!
    for (const entry of entriesOf(folder)) {
      const file = path.join(folder, entry.name)
      if (entry.name === '.git') found.push(file)
      else if (isSearched(entry) && depth < MAX_DEPTH) queue.push([file, depth + 1])
    }
  }
  return withRemembered(root, found)
}

/** Whether a search looks into it: links are not followed, and installed packages are not the user's repositories. */
export const isSearched = (entry: Dirent): boolean => entry.isDirectory() && entry.name !== 'node_modules'

const remembered = new Map<string, Set<string>>()

/**
 * What was found, and what was found before in this process and is still there: a command that makes thousands of
 * folders must not push an older repository out of sight of the next search.
 */
export function withRemembered(root: string, found: readonly string[]): readonly string[] {
  const known = remembered.get(root) ?? new Set<string>()
  remembered.set(root, known)
  for (const file of found) known.add(file)
  for (const file of known) if (lookAt(file) === undefined) known.delete(file)
  return [...known]
}

/** The entries of a folder; none when it is not there or not readable: then nothing in it can be mounted on either. */
export function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}

/** The folders that a `.git` stands for: itself, what a pointer file names, and the common folder of a worktree. */
export function gitFolders(git: string): string[] {
  const folder = isFile(git) ? pointer(git, /^gitdir: (.+)$/m) : realPath(git)
  if (folder === undefined) return []
  const common = pointer(path.join(folder, 'commondir'), /^(.+)$/m)
  return common === undefined || common === folder ? [folder] : [folder, common]
}

/** The real path that a one-line file names, relative to the folder it lies in; undefined when there is none. */
function pointer(file: string, line: RegExp): string | undefined {
  const target = line.exec(readBeginning(file) ?? '')?.[1]?.trim()
  return target === undefined ? undefined : realPath(path.resolve(path.dirname(file), target))
}

const isFile = (file: string): boolean => lookAt(file)?.isFile() === true

const isLink = (file: string): boolean => lookAt(file)?.isSymbolicLink() === true
