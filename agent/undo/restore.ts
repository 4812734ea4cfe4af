/** Puts paths of the work tree from one state to another, all of them or none. */
import { createHash } from 'node:crypto'
import { readlink } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { Workspace } from '../../sandbox/index.ts'
import { largestFile } from './record.ts'
import type { Store } from './store.ts'
import type { Entry } from './turns.ts'

/** One path: what is there, and what shall be. */
export interface Move {
  readonly path: string
  readonly now: Entry | null
  readonly target: Entry | null
}

/**
 * What stands at a path right now; `other` for a device, or what cannot be read. A folder counts as nothing: what is in
 * it has its own paths, and it goes when they do.
 */
export async function entryAt(workspace: Workspace, path: string): Promise<Entry | null | 'other'> {
  try {
    // Below a link or a file nothing of ours is there, wherever the link leads.
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
      if ((await workspace.stat(path.slice(0, at)))?.kind !== 'directory') return null
    }
    const stats = await workspace.stat(path)
    if (stats === undefined || stats.kind === 'directory') return null
    if (stats.kind === 'link') {
      return { kind: 'link', mode: 0o777, oid: blobId(Buffer.from(await readlink(join(workspace.root, path)))) }
    }
    if (stats.kind !== 'file') return 'other'
    const bytes = await workspace.read(path, { maxBytes: largestFile })
    return { kind: 'file', mode: stats.mode & 0o777, oid: blobId(bytes) }
  } catch {
    // Too large, or not ours to read: in any case not what was recorded.
    return 'other'
  }
}

export const sameEntry = (a: Entry | null | 'other', b: Entry | null): boolean =>
  a === b || (a !== 'other' && a !== null && b !== null && a.kind === b.kind && a.oid === b.oid && a.mode === b.mode)

/** Git's name for a content, SHA-1 over its kind, length and bytes. */
const blobId = (bytes: Buffer): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')

/**
 * Makes the moves: what goes goes first, so that a folder can make room for a file. Where one fails, those before it are
 * taken back and the error is thrown. Everything that is put back, and everything that goes, is in the store.
 */
export async function makeMoves(store: Store, workspace: Workspace, moves: readonly Move[]): Promise<void> {
  const done: Move[] = []
  const ordered = inOrder(moves)
  try {
    for (let at = 0; at < ordered.length; at += BATCH) {
      const batch = ordered.slice(at, at + BATCH)
      const contents = await contentsOf(store, batch)
      for (const move of batch) {
        await put(store, workspace, move, contents)
        done.push(move)
      }
    }
  } catch (error) {
    const back = inOrder(done.map(({ path, now, target }) => ({ path, now: target, target: now })))
    // The first error is the one to tell; what cannot be taken back is made good by doing the whole once more.
    for (const move of back) await put(store, workspace, move, new Map()).catch(() => undefined)
    throw error
  }
}

const inOrder = (moves: readonly Move[]): Move[] =>
  moves.toSorted((a, b) => Number(a.target !== null) - Number(b.target !== null))

/** Contents that are asked of git at once: a process for each file would take 5 ms each. */
const BATCH = 100

async function contentsOf(store: Store, moves: readonly Move[]): Promise<ReadonlyMap<string, Buffer>> {
  const wanted = moves.flatMap(({ target }) => (target === null ? [] : [target.oid]))
  // Together too large to be held: then each is asked for when its turn comes.
  return store.contents([...new Set(wanted)]).catch(() => new Map())
}

async function put(
  store: Store,
  workspace: Workspace,
  { path, target }: Pick<Move, 'path' | 'target'>,
  contents: ReadonlyMap<string, Buffer>,
): Promise<void> {
  if (target === null) {
    await workspace.remove(path)
    // A folder is there for what is in it.
    for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) {
      if (!(await workspace.removeEmptyFolder(folder))) break
    }
    return
  }
  const bytes = contents.get(target.oid) ?? (await store.content(target.oid))
  await workspace.restore(
    path,
    target.kind === 'link' ? { kind: 'link', target: bytes.toString() } : { kind: 'file', bytes, mode: target.mode },
  )
}
