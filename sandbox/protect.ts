/** What stays read-only inside a writable folder: git metadata, and files that tell agents, editors or CI what to run. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { isInside, realPath } from './policy.ts'

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
 */
export function protectedPaths(root: string, names: readonly string[] = PROTECTED_NAMES): string[] {
  const found = new Set<string>()
  for (const name of names) addExisting(found, path.join(root, name))
  for (const git of gitEntries(root)) {
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
export function gitToolPaths(root: string): string[] {
  const own = path.join(root, '.git')
  const held = protectedPaths(root, [])
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

/** Every `.git` (folder, file or link) at most MAX_DEPTH below the root. */
export function gitEntries(root: string): string[] {
  const found: string[] = []
  let folders = 0
  const walk = (folder: string, depth: number): void => {
    if (depth > MAX_DEPTH || folders++ > MAX_FOLDERS) return
    for (const entry of entries(folder)) {
      const file = path.join(folder, entry.name)
      if (entry.name === '.git') found.push(file)
      else if (entry.isDirectory() && entry.name !== 'node_modules') walk(file, depth + 1)
    }
  }
  walk(root, 0)
  return found
}

function entries(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    // Not readable for us: nothing in it that we could mount on.
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
  try {
    const target = line.exec(readFileSync(file, 'utf8').slice(0, 4096))?.[1]?.trim()
    return target === undefined ? undefined : realPath(path.resolve(path.dirname(file), target))
  } catch {
    // No such file, or not readable: nothing that it could name.
    return undefined
  }
}

function isFile(file: string): boolean {
  try {
    return lstatSync(file).isFile()
  } catch {
    return false
  }
}

function isLink(file: string): boolean {
  try {
    return lstatSync(file).isSymbolicLink()
  } catch {
    return false
  }
}
