/** Records the work tree around each turn that may write, so that the turn can be taken back whole. */
import type { Policy, Workspace } from '../../sandbox/index.ts'
import { type Effect, inUndoTurn } from '../../tools/index.ts'
import { listFiles } from '../files.ts'
import { newId } from '../log/id.ts'
import { stoodBefore } from './own-work.ts'
import { gitMode, type Recorded, recordTree } from './record.ts'
import type { Look } from './scan.ts'
import { changedPaths, contentsOf, type StartOfTurn } from './start.ts'
import { openStore, type Store, type Stored } from './store.ts'
import { type Entry, keptNames, readTurns, type TurnFile, type UndoTurn, writeTurns } from './turns.ts'

export interface TurnRecorder {
  /** A turn begins. */
  begin(task: string): void
  /**
   * Before a call runs: the first that may write has the tree recorded. Gives a line for the user, once a turn, where that
   * is not possible; the turn goes on without.
   */
  before(effects: readonly Effect[], policy: Policy, signal: AbortSignal): Promise<string | undefined>
  /** What was there before the first call of the turn that may write; undefined where that is not recorded. */
  start(): StartOfTurn | undefined
  /** The turn has ended: what it changed is noted. Gives a line for the user where that failed. */
  end(): Promise<string | undefined>
  /** What stood at a path before the turns that left these bytes there, see own-work.ts; undefined where that is not known. */
  stoodBefore(path: string, bytes: Buffer): Promise<Buffer | null | undefined>
  /** The record of the turn that began last, by which it can be taken back; undefined while and where it changed nothing. */
  readonly recorded: string | undefined
}

/** A turn of which the state before it is recorded. */
interface Open {
  readonly store: Store
  readonly turn: UndoTurn
  recorded: Recorded
  /** Announced paths that are not part of the tree: ignored. */
  readonly more: Set<string>
  /** Recorded for the very call that is about to run. */
  now: boolean
}

/** `session` is the id of the session; `now` gives milliseconds since the epoch. */
export function openRecorder({
  stateFolder,
  workspace,
  session,
  now,
}: {
  readonly stateFolder: string
  readonly workspace: Workspace
  readonly session: string
  readonly now: () => number
}): TurnRecorder {
  let task = ''
  let open: Open | undefined
  let kept: string | undefined
  let failed = false
  const { root } = workspace

  const start = async (announced: readonly string[], signal: AbortSignal): Promise<Open> => {
    const store = await openStore(stateFolder, root)
    const id = newId(now())
    const recorded = await recordTree(store, workspace, { keep: keptNames({ id }).before, more: announced, signal })
    const turn: UndoTurn = {
      id,
      time: new Date(now()).toISOString(),
      session,
      task: task.slice(0, 400),
      pid: process.pid,
      before: recorded.tree,
      more: [...announced],
      left: [],
      undone: false,
    }
    const earlier = await readTurns(store)
    // What was taken back cannot be made again on top of something new.
    const dropped = earlier.filter(({ undone }) => undone)
    await writeTurns(store, [...earlier.filter(({ undone }) => !undone), turn])
    await store.forget(dropped.flatMap(heldNames))
    return { store, turn, recorded, more: new Set(announced), now: true }
  }

  /** An ignored file that a tool announces later is added to the state before the turn, as it is now. */
  const amend = async (at: Open, announced: readonly string[]): Promise<void> => {
    const fresh = announced.filter((path) => !at.recorded.scan.has(path) && !at.more.has(path))
    if (fresh.length === 0) return
    for (const path of fresh) at.more.add(path)
    const listed = new Set(await listFiles(root))
    // What is listed and was not there before was made by this very turn.
    const ignored = fresh.filter((path) => !listed.has(path))
    const { store, turn } = at
    const scan = new Map(at.recorded.scan)
    const files = await Promise.all(ignored.map((path) => readIgnored(workspace, path)))
    const found = files.filter((file) => file !== undefined)
    async function* changes() {
      for (const { path, look, bytes } of found) yield { path, entry: { mode: gitMode(look), bytes } }
    }
    for (const { path, look } of found) scan.set(path, look)
    const tree = await store.record([keptNames(turn).before], at.recorded.tree, changes())
    at.recorded = { ...at.recorded, tree, scan }
    await replaceTurn(store, { ...turn, before: tree, more: [...at.more] })
  }

  const finish = async ({ store, turn, recorded, more }: Open): Promise<void> => {
    const after = await recordTree(store, workspace, { keep: keptNames(turn).after, more })
    const files = await changedFiles(store, recorded, after)
    const left = changedLeft(recorded, after)
    if (files.length > 0 || left.length > 0) {
      await replaceTurn(store, { ...turn, before: recorded.tree, more: [...more], files, left })
      return
    }
    kept = undefined
    const turns = await readTurns(store)
    await writeTurns(
      store,
      turns.filter(({ id }) => id !== turn.id),
    )
    await store.forget([keptNames(turn).before, keptNames(turn).after])
  }

  return {
    get recorded() {
      return kept
    },
    begin(words) {
      task = words
      open = undefined
      kept = undefined
      failed = false
    },
    async before(effects, policy, signal) {
      const writes = effects.some(({ kind }) => kind !== 'read') && policy.mode !== 'read-only'
      if (!writes || failed) return undefined
      const announced = effects.flatMap((effect) =>
        effect.kind === 'write' ? relativePaths(workspace, effect.path) : [],
      )
      try {
        await inUndoTurn(root, async () => {
          if (open === undefined) {
            open = await start(announced, signal)
            kept = open.turn.id
          } else {
            open.now = false
            await amend(open, announced)
          }
        })
        return undefined
      } catch (error) {
        if (signal.aborted) return undefined
        failed = true
        return `This turn cannot be undone: ${wordsOf(error)}`
      }
    },
    start() {
      const at = open
      if (at === undefined) return undefined
      return {
        contents: (paths) => contentsOf(at, paths),
        since: async () => (at.now ? [] : await changedPaths(root, at)),
      }
    },
    // Nothing hangs on it: where the records cannot be read, undo tells.
    stoodBefore: (path, bytes) => stoodBefore({ stateFolder, root }, path, bytes).catch(() => undefined),
    async end() {
      const ended = open
      open = undefined
      if (ended === undefined) return undefined
      try {
        await inUndoTurn(root, () => finish(ended))
        return undefined
      } catch (error) {
        return `What this turn changed could not be recorded for undo: ${wordsOf(error)}`
      }
    },
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export const heldNames = (turn: UndoTurn): string[] => Object.values(keptNames(turn))

async function replaceTurn(store: Store, turn: UndoTurn): Promise<void> {
  const turns = await readTurns(store)
  await writeTurns(
    store,
    turns.map((one) => (one.id === turn.id ? turn : one)),
  )
}

/** A path that the workspace refuses is refused by the tool too. */
function relativePaths(workspace: Workspace, path: string): string[] {
  try {
    return [workspace.relative(path)]
  } catch {
    return []
  }
}

async function readIgnored(
  workspace: Workspace,
  path: string,
): Promise<{ path: string; look: Look; bytes: Buffer } | undefined> {
  try {
    const stats = await workspace.stat(path)
    if (stats?.kind !== 'file') return undefined
    const bytes = await workspace.read(path)
    return { path, bytes, look: { kind: 'file', mode: stats.mode & 0o777, bytes: bytes.length, stamp: '' } }
  } catch {
    // Not ours to read: the tool will say so.
    return undefined
  }
}

/** What differs between two records, modes included. */
export async function changedFiles(
  store: Store,
  before: Pick<Recorded, 'tree' | 'scan'>,
  after: Pick<Recorded, 'tree' | 'scan'>,
): Promise<TurnFile[]> {
  const files: TurnFile[] = []
  const differences = await store.differences(before.tree, after.tree)
  for (const [path, difference] of differences) {
    files.push({
      path,
      before: entryFrom(difference.before, before.scan.get(path)),
      after: entryFrom(difference.after, after.scan.get(path)),
    })
  }
  const remoded = [...after.scan].filter(([path, { mode }]) => {
    const earlier = before.scan.get(path)
    return earlier?.kind === 'file' && earlier.mode !== mode && !differences.has(path)
  })
  const entries = remoded.length === 0 ? undefined : await store.entries(after.tree)
  for (const [path, look] of remoded) {
    const same = entries?.get(path) ?? null
    if (same === null) continue
    files.push({ path, before: entryFrom(same, before.scan.get(path)), after: entryFrom(same, look) })
  }
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

/** Git knows one bit of a file's mode; the look knew the rest. */
function entryFrom(stored: Stored | null, look: Look | undefined): Entry | null {
  if (stored === null) return null
  if (stored.mode === '120000') return { kind: 'link', mode: 0o777, oid: stored.oid }
  const fallback = stored.mode === '100755' ? 0o755 : 0o644
  return { kind: 'file', mode: look?.kind === 'file' ? look.mode : fallback, oid: stored.oid }
}

function changedLeft(before: Recorded, after: Recorded): string[] {
  return [...new Set([...before.left, ...after.left])].filter(
    (path) =>
      before.scan.get(path)?.stamp !== after.scan.get(path)?.stamp || before.left.has(path) !== after.left.has(path),
  )
}
