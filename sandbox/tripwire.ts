/**
 * Notices what no mount can prevent: names that a command makes and that a program outside would obey. Compared is what
 * was there before the command with what is there after it.
 */
import { readFileSync, readlinkSync, type Stats } from 'node:fs'
import path from 'node:path'
import { setImmediate as pause } from 'node:timers/promises'
import { lookAt } from './look.ts'
import { isInside, realPath } from './policy.ts'
import {
  entriesOf,
  gitFolders,
  isSearched,
  MAX_DEPTH,
  MAX_FOLDERS,
  PROTECTED_NAMES,
  withRemembered,
} from './protect.ts'
import { type Earlier, revertFinding } from './revert.ts'
import type { Finding } from './types.ts'

export interface TripwireOptions {
  /** Look at git's own data and at file modes too: where no mount and no filter hold them (see `guards`). */
  readonly metadata: boolean
}

/** What of a git folder makes git run programs or look elsewhere. */
const GIT_DATA = [
  'config',
  'config.worktree',
  'commondir',
  'info/attributes',
  'info/exclude',
  'objects/info/alternates',
]
/** What three names make of a folder: git takes it for a bare repository and obeys its config. */
const BARE = ['HEAD', 'objects', 'refs']
/** A link into these leads to programs and libraries that nobody can write: virtual environments are full of them. */
const SYSTEM = ['/usr', '/bin', '/lib', '/lib64', '/opt', '/nix', '/etc/alternatives']
/** Files that git and ripgrep open wherever they find them, and wait for where they are pipes. */
const WAITED_FOR = ['.gitignore', '.ignore', '.rgignore', '.gitattributes']
const SUID_SGID = 0o6000
/** Folders looked into between two pauses, so that the event loop is never held for long. */
const FOLDERS_A_TURN = 100
const MAX_KEPT_BYTES = 256 * 1024

/** A kind for each path that is of interest, and for git's own data what was in it. */
interface Seen {
  readonly kind: Finding['kind']
  readonly state: string
  readonly earlier?: Earlier | undefined
}

/** Looks at the folders now; `check` looks again and tells what is new or changed. Takes about 10 ms for 1,000 folders. */
export async function armTripwire(roots: readonly string[], options: TripwireOptions): Promise<Tripwire> {
  const before = await look(roots, options)
  return {
    gitEntries(root) {
      const found = [...before].filter(([file]) => path.basename(file) === '.git' && isInside(file, root))
      return withRemembered(
        root,
        found.map(([file]) => file),
      )
    },
    async check() {
      const after = await look(roots, options)
      const findings: Finding[] = []
      for (const [file, seen] of after) {
        const old = before.get(file)
        if (old?.state === seen.state) continue
        findings.push({ kind: seen.kind, path: file, message: describe(seen.kind, file, old !== undefined) })
      }
      // What lies in a new folder is told with that folder.
      return findings.filter((inner) => !findings.some((outer) => outer !== inner && isInside(inner.path, outer.path)))
    },
    async revert(finding) {
      const old = before.get(finding.path)
      // Too large to have been kept.
      if (old !== undefined && finding.kind === 'git-data' && old.earlier === undefined) return finding
      const done = await revertFinding(finding, old?.earlier)
      return done === undefined ? finding : { ...finding, reverted: true, message: `${finding.message}; ${done}` }
    },
  }
}

export interface Tripwire {
  /** Every `.git` that was in a root when it was armed, see protect.ts: so that nobody has to look again. */
  gitEntries(root: string): readonly string[]
  check(): Promise<readonly Finding[]>
  /** Takes it back where that loses nothing of anybody (see revert.ts), and gives the finding with what was done. */
  revert(finding: Finding): Promise<Finding>
}

async function look(roots: readonly string[], { metadata }: TripwireOptions): Promise<Map<string, Seen>> {
  const found = new Map<string, Seen>()
  for (const root of roots) {
    for (const name of PROTECTED_NAMES) {
      const file = path.join(root, name)
      const stat = lookAt(file)
      if (stat !== undefined)
        found.set(file, { kind: 'obeyed-name', state: stat.isDirectory() ? 'folder' : stateOf(stat) })
    }
    await walk(root, root, found, metadata)
  }
  return found
}

async function walk(root: string, top: string, found: Map<string, Seen>, metadata: boolean): Promise<void> {
  const queue: [folder: string, depth: number][] = [[top, 0]]
  for (let folders = 0; queue.length > 0 && folders < MAX_FOLDERS; folders++) {
    if (folders % FOLDERS_A_TURN === FOLDERS_A_TURN - 1) await pause()
    const [folder, depth] = queue.shift()!
    const entries = entriesOf(folder)
    const names = new Set(entries.map((entry) => entry.name))
    if (folder !== top && BARE.every((name) => names.has(name)))
      found.set(folder, { kind: 'bare-repository', state: 'there' })
    for (const entry of entries) {
      const file = path.join(folder, entry.name)
      if (entry.name === '.git') {
        found.set(file, { kind: 'nested-repository', state: entry.isSymbolicLink() ? `link ${linkOf(file)}` : 'there' })
        if (metadata) for (const each of gitFolders(file)) lookAtGit(each, found)
      } else if (entry.isSymbolicLink()) {
        const target = linkOf(file)
        if (leadsOut(file, target, root)) found.set(file, { kind: 'link-out', state: target })
      } else if (entry.isDirectory()) {
        if (depth < MAX_DEPTH && isSearched(entry)) queue.push([file, depth + 1])
      } else if (entry.isFIFO() && WAITED_FOR.includes(entry.name)) {
        found.set(file, { kind: 'pipe', state: 'there' })
      } else if (metadata && ((lookAt(file)?.mode ?? 0) & SUID_SGID) !== 0) {
        found.set(file, { kind: 'set-id', state: 'there' })
      }
    }
  }
}

function lookAtGit(folder: string, found: Map<string, Seen>): void {
  const hooks = entriesOf(path.join(folder, 'hooks')).map((entry) => path.join('hooks', entry.name))
  for (const name of [...GIT_DATA, ...hooks.filter((hook) => !hook.endsWith('.sample'))]) {
    const file = path.join(folder, name)
    const stat = lookAt(file)
    if (stat === undefined) continue
    const content = stat.isFile() && stat.size <= MAX_KEPT_BYTES ? contentOf(file) : undefined
    const state = content === undefined ? stateOf(stat) : content.toString('latin1')
    const earlier = content === undefined ? undefined : { content, mode: stat.mode }
    found.set(file, { kind: 'git-data', state, earlier })
  }
}

function leadsOut(link: string, target: string, root: string): boolean {
  const lexical = path.resolve(path.dirname(link), target)
  const end = realPath(link) ?? lexical
  if (isInside(end, root) && isInside(lexical, root)) return false
  return !SYSTEM.some((folder) => isInside(end, folder))
}

function describe(kind: Finding['kind'], file: string, existed: boolean): string {
  const name = JSON.stringify(file)
  switch (kind) {
    case 'nested-repository':
      return existed ? `${name} now leads elsewhere` : `a new git repository at ${name}: git runs what its config says`
    case 'bare-repository':
      return `${name} now looks like a git repository: git runs what its config says`
    case 'obeyed-name':
      return `${existed ? 'changed' : 'new'}: ${name}, which agents, editors, shells or CI obey`
    case 'link-out':
      return `a new link out of the work tree: ${name}`
    case 'git-data':
      return `${existed ? 'changed' : 'new'}: ${name}, which can make git run programs`
    case 'pipe':
      return `a pipe at ${name}, where git and ripgrep would wait for words to ignore by`
    case 'set-id':
      return `a new set-uid or set-gid file: ${name}`
    default:
      return kind satisfies never
  }
}

const stateOf = (stat: Stats): string => `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.mode}`

function linkOf(file: string): string {
  try {
    return readlinkSync(file)
  } catch {
    // Gone, or no link any more: nothing that leads anywhere.
    return ''
  }
}

function contentOf(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch {
    return undefined
  }
}
