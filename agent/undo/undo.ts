/** Taking turns back, and making them again: whole, and never over what somebody changed since without saying so. */
import { existsSync } from 'node:fs'
import { readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { openWorkspace, type Workspace } from '../../sandbox/index.ts'
import { inTurn, inUndoTurn } from '../../tools/index.ts'
import { gitMode, largestFile, recordTree } from './record.ts'
import { changedFiles } from './recorder.ts'
import { entryAt, type Move, makeMoves, sameEntry } from './restore.ts'
import { openStore, type Store, storeFolder, type TreeChange } from './store.ts'
import { type Entry, keptNames, readTurns, type TurnFile, type UndoTurn, writeTurns } from './turns.ts'

export interface UndoPlace {
  readonly stateFolder: string
  /** Absolute, real path of the work tree. */
  readonly root: string
}

/** A turn as a person chooses among them. */
export interface TurnSummary {
  readonly id: string
  /** 1 is the last one that is not taken back: `undo N` takes back this one and all after it. 0: taken back. */
  readonly number: number
  /** ISO 8601, UTC. */
  readonly time: string
  readonly session: string
  readonly task: string
  readonly paths: readonly string[]
  readonly state: 'done' | 'undone' | 'going-on' | 'cut-short'
}

export type UndoOutcome =
  | {
      readonly ok: true
      readonly paths: readonly string[]
      /** Paths that changed and could not be put back, because they are too large to be kept. */
      readonly left: readonly string[]
      readonly text: string
    }
  | {
      readonly ok: false
      /** Paths that somebody changed since: with `force` they are overwritten. */
      readonly conflicts: readonly string[]
      readonly text: string
    }

export interface UndoWish {
  /** How many turns. Default: one. */
  readonly count?: number
  /** Overwrite what was changed since; the other way brings it back. */
  readonly force?: boolean
}

/** Turns of a work tree, last first. Rejects with UndoError. */
export async function listTurns({ stateFolder, root }: UndoPlace): Promise<readonly TurnSummary[]> {
  const turns = (await readTurns({ folder: storeFolder(stateFolder, root) })).toReversed()
  let number = 0
  return turns.map((turn) => ({
    id: turn.id,
    number: turn.undone ? 0 : ++number,
    time: turn.time,
    session: turn.session,
    task: turn.task,
    paths: turn.files?.map(({ path }) => path) ?? [],
    state: turn.undone ? 'undone' : turn.files !== undefined ? 'done' : isRunning(turn) ? 'going-on' : 'cut-short',
  }))
}

/** Takes back the last turns. Everything or nothing. Rejects with UndoError and the system's errors. */
export const undoTurns = (place: UndoPlace, wish: UndoWish = {}): Promise<UndoOutcome> => move(place, 'back', wish)

/** Makes the turns again that were taken back last. */
export const redoTurns = (place: UndoPlace, wish: UndoWish = {}): Promise<UndoOutcome> => move(place, 'again', wish)

async function move(
  place: UndoPlace,
  way: 'back' | 'again',
  { count = 1, force = false }: UndoWish,
): Promise<UndoOutcome> {
  const refused = (text: string, conflicts: readonly string[] = []): UndoOutcome => ({ ok: false, conflicts, text })
  const { root, stateFolder } = place
  if (!existsSync(storeFolder(stateFolder, root))) return refused(nothing(way))
  const workspace = openWorkspace(root)
  const store = await openStore(stateFolder, root)
  return inUndoTurn(root, async () => {
    const turns = await readTurns(store)
    // Last first for undo, first first for redo: what is taken back is always the end of the list.
    const ready =
      way === 'back' ? turns.filter(({ undone }) => !undone).toReversed() : turns.filter(({ undone }) => undone)
    if (ready.length === 0) return refused(nothing(way))
    if (count > ready.length)
      return refused(`There are only ${ready.length} turns to ${way === 'back' ? 'undo' : 'redo'}.`)
    const chosen = ready.slice(0, count)
    if (chosen.some((turn) => turn.files === undefined && isRunning(turn))) {
      return refused('A turn is going on in this folder: wait for its end, or interrupt it.')
    }
    const unsure = new Set<string>()
    const whole: UndoTurn[] = []
    for (const turn of chosen) {
      const files = turn.files ?? (await sinceBefore(store, workspace, turn))
      if (turn.files === undefined) for (const { path } of files) unsure.add(path)
      whole.push({ ...turn, files })
    }

    const planned = planOf(whole, way)
    const moves: Move[] = []
    const conflicts: string[] = []
    for (const { path, expected, target, between } of planned) {
      const now = await entryAt(workspace, path)
      if (sameEntry(now, target)) continue
      if (now === 'other')
        return refused(`Nothing was changed: ${path} is no file any more, or cannot be read.`, [path])
      if (between || unsure.has(path) || !sameEntry(now, expected)) conflicts.push(path)
      moves.push({ path, now, target })
    }
    if (conflicts.length > 0 && !force) return refused(conflictText(conflicts, unsure.size > 0), conflicts)
    const kept = await keepOverwritten(store, workspace, whole, { moves, conflicts, way })
    try {
      await inTurn(root, () => makeMoves(store, workspace, moves))
    } catch (error) {
      return refused(`Nothing was changed: ${error instanceof Error ? error.message : String(error)}`)
    }
    const changed = new Map(kept.map((turn) => [turn.id, { ...turn, undone: way === 'back' }]))
    await writeTurns(
      store,
      turns.map((turn) => changed.get(turn.id) ?? turn),
    )
    const left = [...new Set(whole.flatMap((turn) => turn.left))]
    const paths = planned.map(({ path }) => path)
    return { ok: true, paths, left, text: doneText(way, paths, left) }
  })
}

interface Planned {
  readonly path: string
  readonly expected: Entry | null
  readonly target: Entry | null
  /** Somebody changed it between two of the turns. */
  readonly between: boolean
}

/** What each path shall be after all of the turns, in the order in which they are gone through. */
function planOf(turns: readonly UndoTurn[], way: 'back' | 'again'): Planned[] {
  const plan = new Map<string, Planned>()
  for (const turn of turns) {
    for (const { path, before, after } of turn.files ?? []) {
      const [from, to] = way === 'back' ? [after, before] : [before, after]
      const earlier = plan.get(path)
      if (earlier === undefined) plan.set(path, { path, expected: from, target: to, between: false })
      else plan.set(path, { ...earlier, target: to, between: earlier.between || !sameEntry(earlier.target, from) })
    }
  }
  return [...plan.values()]
}

/** A turn that was cut short: all that differs now from what was before it. */
async function sinceBefore(store: Store, workspace: Workspace, turn: UndoTurn): Promise<TurnFile[]> {
  const now = await recordTree(store, workspace, { keep: keptNames(turn).after, more: turn.more })
  return changedFiles(store, { tree: turn.before, scan: new Map() }, now).then((files) =>
    // The modes before it are known as far as git keeps them.
    files.filter(({ before, after }) => !sameEntry(before, after)),
  )
}

/** What force overwrites becomes part of the turn it is overwritten for, so that the other way brings it back. */
async function keepOverwritten(
  store: Store,
  workspace: Workspace,
  turns: readonly UndoTurn[],
  {
    moves,
    conflicts,
    way,
  }: { readonly moves: readonly Move[]; readonly conflicts: readonly string[]; readonly way: 'back' | 'again' },
): Promise<readonly UndoTurn[]> {
  if (conflicts.length === 0) return turns
  const over = new Map(moves.filter(({ path }) => conflicts.includes(path)).map(({ path, now }) => [path, now]))
  async function* contents(): AsyncGenerator<TreeChange> {
    for (const [path, now] of over) {
      if (now === null) continue
      const bytes =
        now.kind === 'link'
          ? Buffer.from(await readlink(join(workspace.root, path)))
          : await workspace.read(path, { maxBytes: largestFile })
      yield { path, entry: { mode: gitMode(now), bytes } }
    }
  }
  const [first, ...others] = turns
  if (first === undefined) return turns
  await store.record([keptNames(first).forced], undefined, contents())
  const seen = new Set<string>()
  return [first, ...others].map((turn) => ({
    ...turn,
    files: turn.files?.map((file) => {
      const now = over.get(file.path)
      if (now === undefined || seen.has(file.path)) return file
      seen.add(file.path)
      return way === 'back' ? { ...file, after: now } : { ...file, before: now }
    }),
  }))
}

/** Whether the process of a turn still lives. Our own has come to the end of it when it asks. */
function isRunning({ pid }: UndoTurn): boolean {
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

const nothing = (way: 'back' | 'again'): string =>
  way === 'back' ? 'There is nothing to undo.' : 'There is nothing to redo.'

function conflictText(conflicts: readonly string[], cutShort: boolean): string {
  const why = cutShort
    ? 'the turn was cut short, so that its changes cannot be told from later ones of yours'
    : 'changed since'
  return `Nothing was changed: ${why}: ${someOf(conflicts)}. --force overwrites ${conflicts.length === 1 ? 'it' : 'them'}; the other way brings back what was overwritten.`
}

function doneText(way: 'back' | 'again', paths: readonly string[], left: readonly string[]): string {
  const done =
    way === 'back' ? `Taken back the changes of ${someOf(paths)}` : `Made the changes of ${someOf(paths)} again`
  return left.length === 0 ? done : `${done}; too large to be kept, and left as it is: ${someOf(left)}`
}

function someOf(paths: readonly string[]): string {
  if (paths.length === 0) return 'nothing'
  const more = paths.length > 12 ? ` and ${paths.length - 12} more` : ''
  return `${paths.slice(0, 12).join(', ')}${more}`
}
