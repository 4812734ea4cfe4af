/** What is in a work tree right now, told by looks alone: paths with a stamp that changes whenever the file does. */
import { lstatSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as pause } from 'node:timers/promises'
import { gitFiles, listFiles } from '../files.ts'

/** A file or link as a look shows it. */
export interface Look {
  readonly kind: 'file' | 'link'
  /** Permission bits; of a link they mean nothing. */
  readonly mode: number
  readonly bytes: number
  /** Empty when the file changed so lately that a further change might show the same: such a stamp equals none. */
  readonly stamp: string
}

export type Scan = ReadonlyMap<string, Look>

/** Looks between two pauses, so that the event loop is never held for long. */
const looksATurn = 1000
/** A clock of files may stand still for so long (ticks of the kernel; a second and more on some file systems). */
const fineMs = 100
const coarseMs = 2500
/** Nested repositories in nested repositories: deeper is not looked for. */
const deepest = 4

export interface ScanRequest {
  /** A bare repository of ours, by which git lists a folder that is in no repository. */
  readonly own: string
  /** Paths that are likely there: looked at while git still lists. */
  readonly expected?: Iterable<string>
  /** Ignored paths that are looked at all the same. */
  readonly more?: Iterable<string>
}

/** Looks at every file and link of the tree that is not ignored. */
export async function scanTree(root: string, { own, expected = [], more = [] }: ScanRequest): Promise<Scan> {
  const began = Date.now()
  const listing = list(root, own)
  // Told where it is waited for.
  listing.catch(() => undefined)
  const looks = new Map<string, Look | 'folder' | undefined>()
  const look = async (paths: Iterable<string>): Promise<void> => {
    let count = 0
    for (const path of paths) {
      if (looks.has(path)) continue
      looks.set(path, lookAt(`${root}/${path}`, began))
      count += 1
      if (count % looksATurn === 0) await pause()
    }
  }
  // git has been started by now and works on another core.
  await pause()
  await look(expected)
  const listed = new Set([...(await listing), ...more])
  await look(listed)
  // A nested repository or a submodule is listed as one path: what is in it is looked at too.
  let folders = [...listed].filter((path) => looks.get(path) === 'folder')
  for (let depth = 0; folders.length > 0 && depth < deepest; depth += 1) {
    const inside = await Promise.all(folders.map((folder) => listInside(root, folder)))
    const found = inside.flat().filter((path) => !listed.has(path))
    for (const path of found) listed.add(path)
    await look(found)
    folders = found.filter((path) => looks.get(path) === 'folder')
  }
  const links = new Set([...listed].filter((path) => isLink(looks.get(path))))
  const scan = new Map<string, Look>()
  for (const path of listed) {
    const seen = looks.get(path)
    if (seen !== undefined && seen !== 'folder' && usable(path) && !throughLink(path, links)) scan.set(path, seen)
  }
  return scan
}

/** With our own empty repository the ignore files count, and links are listed, which ripgrep does not do. */
async function list(root: string, own: string): Promise<string[]> {
  const alone = { GIT_DIR: own, GIT_WORK_TREE: root, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' }
  return (await gitFiles(root)) ?? (await gitFiles(root, alone)) ?? (await listFiles(root))
}

const isLink = (look: Look | 'folder' | undefined): boolean => typeof look === 'object' && look.kind === 'link'

async function listInside(root: string, folder: string): Promise<string[]> {
  const name = folder.replace(/\/$/, '')
  return (await listFiles(join(root, name))).map((path) => `${name}/${path}`)
}

function lookAt(file: string, began: number): Look | 'folder' | undefined {
  let stats: Stats | undefined
  try {
    stats = lstatSync(file, { throwIfNoEntry: false })
  } catch {
    // A part of the path is no folder (any more), or may not be entered: not there, as far as we can tell.
    return undefined
  }
  if (stats === undefined) return undefined
  if (stats.isDirectory()) return 'folder'
  const kind = stats.isFile() ? 'file' : stats.isSymbolicLink() ? 'link' : undefined
  if (kind === undefined) return undefined
  const { size, mtimeMs, ctimeMs, ino, mode } = stats
  const fresh = ctimeMs > began - (Number.isInteger(ctimeMs / 1000) ? coarseMs : fineMs)
  const stamp = fresh ? '' : `${size} ${mtimeMs} ${ctimeMs} ${ino} ${mode}`
  return { kind, mode: mode & 0o777, bytes: size, stamp }
}

/** Git's own data never come into a tree; names that are no UTF-8 reach us changed, and are passed over. */
const usable = (path: string): boolean => !unusable.test(path)
const unusable = /\ufffd|\/\/|\/$|(?:^|\/)\.git(?:\/|$)/i

/** A tracked path whose folder has become a link: what is there belongs to where the link leads. */
function throughLink(path: string, links: ReadonlySet<string>): boolean {
  if (links.size === 0) return false
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
    if (links.has(path.slice(0, at))) return true
  }
  return false
}
