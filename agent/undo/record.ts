/** Records the work tree: what a scan shows goes into the shadow repository, as far as it is not there already. */
import { readFile, readlink, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { Workspace } from '../../sandbox/index.ts'
import { type Look, type Scan, scanTree } from './scan.ts'
import { type Store, type TreeChange, UndoError } from './store.ts'

/** A larger file is not recorded. In bytes. */
export const largestFile = 64 << 20

/** The tree as it was at one moment. */
export interface Recorded {
  /** Id of the tree in the store. */
  readonly tree: string
  readonly scan: Scan
  /** Paths that were too large, or could not be read: nothing can put them back. */
  readonly left: ReadonlySet<string>
}

/** What the last record of this tree saw: a file with the same stamp is in it already. */
const lastRecord = z.object({
  version: z.literal(1),
  tree: z.string(),
  stamps: z.record(z.string(), z.string()),
  left: z.array(z.string()),
})
type LastRecord = z.infer<typeof lastRecord>

const lastFile = (store: Store): string => join(store.folder, 'last.json')

interface RecordRequest {
  /** Name under which the store holds the tree. */
  readonly keep: string
  /** Ignored paths that belong to the tree all the same. */
  readonly more?: Iterable<string>
  readonly signal?: AbortSignal
}

/**
 * Records the tree. Reads what changed since the last record, in this process or another, and nothing else. Rejects with
 * UndoError and when the signal aborts.
 */
export async function recordTree(store: Store, workspace: Workspace, request: RecordRequest): Promise<Recorded> {
  const last = await readLast(store)
  if (last === undefined) return recordSince(store, workspace, request, undefined)
  try {
    return await recordSince(store, workspace, request, last)
  } catch (error) {
    if (!(error instanceof UndoError)) throw error
    // The tree of the last record may be lost or damaged: what is there now can be recorded whole.
    return recordSince(store, workspace, request, undefined)
  }
}

async function recordSince(
  store: Store,
  workspace: Workspace,
  { keep, more, signal }: RecordRequest,
  last: LastRecord | undefined,
): Promise<Recorded> {
  const stamps = new Map(Object.entries(last?.stamps ?? {}))
  const scan = await scanTree(workspace.root, { own: store.repository, expected: stamps.keys(), more })
  const left = new Set(last?.left.filter((path) => scan.get(path)?.stamp === stamps.get(path)))
  const gone = [...stamps.keys()].filter((path) => !scan.has(path))
  const moved = [...scan].filter(([path, { stamp }]) => stamp === '' || stamp !== stamps.get(path))
  async function* changes(): AsyncGenerator<TreeChange> {
    for (const path of gone) yield { path, entry: null }
    for (const some of together(moved)) {
      const entries = await Promise.all(some.map(([path, look]) => entryOf(workspace, path, look)))
      for (const [at, [path]] of some.entries()) {
        if (entries[at] === undefined) left.add(path)
        yield { path, entry: entries[at] ?? null }
      }
    }
  }
  const tree = await store.record([keep, lastName], last?.tree, changes(), signal)
  const now = Object.fromEntries([...scan].map(([path, { stamp }]) => [path, stamp]))
  await writeLast(store, { version: 1, tree, stamps: now, left: [...left] })
  return { tree, scan, left }
}

/** The tree of the last record is held whatever becomes of its turn: the next one builds on it. */
const lastName = 'last'

/** Read at once: enough to keep the disk busy, little enough for the memory and the limit on open files. */
const mostAtOnce = 64
const bytesAtOnce = 16 << 20

function* together(moved: readonly (readonly [string, Look])[]): Generator<readonly (readonly [string, Look])[]> {
  let some: (readonly [string, Look])[] = []
  let bytes = 0
  for (const one of moved) {
    if (some.length > 0 && (some.length === mostAtOnce || bytes + one[1].bytes > bytesAtOnce)) {
      yield some
      some = []
      bytes = 0
    }
    some.push(one)
    bytes += one[1].bytes
  }
  if (some.length > 0) yield some
}

/** Undefined for what is too large or cannot be read. */
async function entryOf(workspace: Workspace, path: string, look: Look): Promise<TreeChange['entry'] | undefined> {
  try {
    // What a link says is data, wherever it leads; the folders on the way are real, see scan.ts.
    if (look.kind === 'link') return { mode: '120000', bytes: Buffer.from(await readlink(join(workspace.root, path))) }
    if (look.bytes > largestFile) return undefined
    return { mode: gitMode(look), bytes: await workspace.read(path, { maxBytes: largestFile }) }
  } catch {
    // Gone since the look, grown, or not ours to read.
    return undefined
  }
}

export const gitMode = ({ kind, mode }: Pick<Look, 'kind' | 'mode'>): string =>
  kind === 'link' ? '120000' : (mode & 0o100) === 0 ? '100644' : '100755'

/** Without it, or where it is damaged, everything is recorded anew. */
async function readLast(store: Store): Promise<LastRecord | undefined> {
  try {
    return lastRecord.parse(JSON.parse(await readFile(lastFile(store), 'utf8')))
  } catch {
    return undefined
  }
}

async function writeLast(store: Store, last: LastRecord): Promise<void> {
  const temporary = `${lastFile(store)}.${process.pid}.tmp`
  await writeFile(temporary, JSON.stringify(last), { mode: 0o600 })
  await rename(temporary, lastFile(store))
}
