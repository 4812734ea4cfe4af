/** Rules over files, for a command: what of the work tree they name is looked up anew whenever a command starts. */
import { type Dirent, readdirSync } from 'node:fs'
import path from 'node:path'
import { setImmediate as breath } from 'node:timers/promises'
import picomatch from 'picomatch'
import { lookAt } from './look.ts'
import { isInside, realPath } from './policy.ts'
import { type Policy, SandboxError } from './types.ts'

/** Each held file is a mount of its own, and bwrap's time grows with their square: 300 take 0.1 s, 1,000 take 1.4 s. */
const MAX_HELD = 250
/** Folders of a work tree that are looked through; a larger one needs a rule that names a folder. */
const MAX_FOLDERS = 50_000
/** Between two looks at input and screen. */
const FOLDERS_AT_ONCE = 500
/** A folder that changed less long ago may change again within the same tick of its clock: not remembered. */
const SETTLED_MS = 100

interface Folder {
  /** ctime: nobody can set it. */
  readonly changed: number
  readonly files: readonly string[]
  readonly folders: readonly string[]
}

/** Folders as they were read, good for as long as their time of change stays: 1,000 are asked in some milliseconds. */
const known = new Map<string, Folder>()

/**
 * The policy with `readOnlyGlobs` and `hiddenGlobs` replaced by the paths of the first root that they name now. What does
 * not exist yet cannot be held. Rejects with SandboxError where that cannot be done: too many folders to look through, or
 * more files than can be held; where these are only to stay unchanged, their folders are held instead.
 */
export async function expandGlobs(policy: Policy): Promise<Policy> {
  const { readOnlyGlobs = [], hiddenGlobs = [], ...rest } = policy
  const [root] = policy.roots
  if (root === undefined || (readOnlyGlobs.length === 0 && hiddenGlobs.length === 0)) return rest
  // A file that git must not read would be committed as an empty one: the git tool's lines are ours, and rules judge them.
  const hidden = policy.git === 'writable' ? [] : await matching(root, hiddenGlobs)
  if (hidden.length > MAX_HELD) throw tooMany(hidden.length, hiddenGlobs)
  const readOnly = policy.mode === 'read-only' ? [] : await matching(root, readOnlyGlobs)
  return {
    ...rest,
    denyRead: [...rest.denyRead, ...hidden],
    readOnly: [...(rest.readOnly ?? []), ...foldersOfMany(root, readOnly, readOnlyGlobs)],
  }
}

/** Real paths in the root that a glob names; one that ends in `/**` names the folder itself. */
async function matching(root: string, globs: readonly string[]): Promise<string[]> {
  const found = new Set<string>()
  const searches = globs.map((glob) => {
    const { base, glob: pattern, negated } = picomatch.scan(glob)
    const odd = negated || glob.includes('\\')
    return {
      isMatch: picomatch(glob, { dot: true }),
      start: path.join(root, odd ? '' : base),
      named: !odd && base !== '' && (pattern === '' || pattern === '**' || pattern === '**/*'),
      whole: !odd && /(?:^|\/)\*\*$/.test(glob),
    }
  })
  for (const each of searches) {
    // A plain name or a whole folder needs no search. A glob that begins with `..` is no place in the work tree.
    if (each.named) found.add(each.start)
    else if (isInside(each.start, root)) for (const file of await search(root, each)) found.add(file)
  }
  const real = [...found].flatMap((file) => realPath(file) ?? [])
  return [...new Set(real)].filter((file) => file !== root && isInside(file, root))
}

interface Search {
  readonly isMatch: (file: string) => boolean
  /** The folder to begin in. */
  readonly start: string
  /** A folder that matches is held as a whole, and what is made in it later with it. */
  readonly whole: boolean
}

async function search(root: string, { isMatch, start, whole }: Search): Promise<string[]> {
  const found: string[] = []
  const queue = [start]
  for (let folders = 0; queue.length > 0; folders++) {
    if (folders > MAX_FOLDERS) throw tooWide(root)
    if (folders % FOLDERS_AT_ONCE === FOLDERS_AT_ONCE - 1) await breath()
    const folder = queue.pop()!
    const prefix = folder === root ? '' : `${folder.slice(root.length + 1)}/`
    const entries = entriesOf(folder)
    for (const name of entries.files) if (isMatch(prefix + name)) found.push(`${folder}/${name}`)
    for (const name of entries.folders) {
      if (whole && isMatch(prefix + name)) found.push(`${folder}/${name}`)
      else queue.push(`${folder}/${name}`)
    }
  }
  return found
}

/** What lies in a folder; nothing where it cannot be read: who may not read it as we do cannot name what is in it either. */
function entriesOf(folder: string): Folder {
  const changed = lookAt(folder)?.ctimeMs ?? 0
  const before = known.get(folder)
  if (before !== undefined && before.changed === changed) return before
  const entries = read(folder)
  const isFolder = (entry: Dirent): boolean => entry.isDirectory() && entry.name !== '.git'
  const now: Folder = {
    changed,
    files: entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name),
    folders: entries.filter(isFolder).map(({ name }) => name),
  }
  if (known.size > 2 * MAX_FOLDERS) known.clear()
  if (Date.now() - changed > SETTLED_MS) known.set(folder, now)
  else known.delete(folder)
  return now
}

function read(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    // Gone since, no folder, or closed to us.
    return []
  }
}

/** Where files are too many to be held one by one, the deepest folders that hold them: stricter than the rule, never less. */
function foldersOfMany(root: string, files: readonly string[], globs: readonly string[]): readonly string[] {
  let held = new Set(files)
  while (held.size > MAX_HELD) {
    const deepest = Math.max(...[...held].map(depth))
    if (deepest <= depth(root) + 1) throw tooMany(files.length, globs)
    held = new Set([...held].map((file) => (depth(file) === deepest ? path.dirname(file) : file)))
  }
  return [...held]
}

const depth = (file: string): number => file.split('/').length

const tooMany = (count: number, globs: readonly string[]): SandboxError =>
  new SandboxError(
    'policy-gap',
    `Rules forbid ${count} files (${globs.join(', ')}), and a command can be held to ${MAX_HELD}. ` +
      'Name their folder in the rule (like secrets/**), or forbid the tool shell.',
  )

const tooWide = (root: string): SandboxError =>
  new SandboxError(
    'policy-gap',
    `${root} has more than ${MAX_FOLDERS} folders, too many to look for the files that rules forbid. ` +
      'Begin the rule with a folder (like config/**/*.pem).',
  )
