/** What a run changed in the work tree, judged by the files themselves and not by what tools said of them. */
import { isUtf8 } from 'node:buffer'
import type { Workspace } from '../sandbox/index.ts'
import { type Effect, journalled, unifiedDiff } from '../tools/index.ts'
import type { FileChange } from './events.ts'
import { changedSince, type Snapshot, stampTree, takeSnapshot } from './snapshot.ts'
import type { StartOfTurn } from './undo/start.ts'

/** Content of a file when the run began: null where there was none, undefined where it was too large to keep. */
type Before = Buffer | null | undefined

/** A file with a longer text on either side is reported without its diff. In bytes. */
const diffLimit = 2 * 1024 * 1024

/** A file that differs from what it was when the run began. */
export interface Difference {
  readonly path: string
  readonly before: Before
  readonly after: Before
}

export interface Changes {
  /** Call before a call runs: keeps what its effects may change. `start`: the recorded start of the turn, when there is one. */
  before(effects: readonly Effect[], start?: StartOfTurn): Promise<void>
  /** What differs now from when the run began, by path. */
  list(): Promise<readonly FileChange[]>
  /** The same with the contents. */
  differences(): Promise<readonly Difference[]>
  /** Whether the run itself made this file. */
  made(path: string): boolean
  /**
   * Puts every changed file back to what it was when the run began, then those of `held` to what they are after it; where a
   * crash cuts this short, the next start goes on.
   */
  put(held: readonly Difference[]): Promise<void>
  /** Lets `work` look at the files as they were when the run began; then, after a crash as well, they are those of `held`. */
  asTheyWere<Result>(held: readonly Difference[], work: () => Promise<Result>): Promise<Result>
  /** Begins a new run: what is there now is the new start. */
  restart(): void
}

/**
 * Keeps before-images: of single files when a tool announces that it writes them, and of the whole tree (less what is
 * ignored) when the first command of a run is about to start, since a command does not say what it will touch. Contents are
 * kept in memory only where the start of the turn is not recorded for undo: a session that reads only, or without git. `journal`: see
 * `ToolContext.journal`.
 */
export function trackChanges(workspace: Workspace, journal?: string): Changes {
  const place = { workspace, journal }
  /** Files that a tool announced before there was a snapshot, and after: the latter count only where it is blind. */
  let images = new Map<string, Before>()
  let later = new Map<string, Before>()
  let tree: Snapshot | undefined
  /** Holds the contents of `tree`, where it does not itself. */
  let recorded: StartOfTurn | undefined
  /** What had changed between that start and `tree`. */
  let sinceStart = new Map<string, Before>()
  /** The tree of an earlier run: files that have not changed since are not read again. */
  let earlier: Snapshot | undefined

  const current = async (path: string): Promise<Before> => {
    const stats = await workspace.stat(path)
    if (stats?.kind !== 'file') return null
    try {
      return await workspace.read(path)
    } catch {
      // Too large, or not ours to read: it is there, and that is all we can say.
      return undefined
    }
  }
  const relativeOf = (path: string): string | undefined => {
    try {
      return workspace.relative(path)
    } catch {
      // Outside of the roots: the tool will refuse it.
      return undefined
    }
  }
  const imageOf = async (path: string): Promise<void> => {
    const relative = relativeOf(path)
    if (relative === undefined) return
    const into = tree === undefined ? images : later
    if (!images.has(relative) && !later.has(relative)) into.set(relative, await current(relative))
  }

  const imageAtStart = (path: string, moved: ReadonlySet<string>, contents: ReadonlyMap<string, Before>): Before => {
    if (images.has(path)) return images.get(path)
    const kept = tree?.get(path)
    if (sinceStart.has(path)) return sinceStart.get(path)
    if (kept !== undefined) return recorded === undefined ? kept.bytes : contents.get(path)
    // Not in the snapshot: new since then, unless ignore files hide it.
    return moved.has(path) ? null : later.get(path)
  }

  const differences = async (): Promise<Difference[]> => {
    const moved = new Set(tree === undefined ? [] : await changedSince(workspace.root, tree))
    const paths = [...new Set([...images.keys(), ...later.keys(), ...moved])].sort((a, b) => (a < b ? -1 : 1))
    const asked = paths.filter((path) => !images.has(path) && !sinceStart.has(path) && tree?.has(path) === true)
    // A record that cannot be read any more: that they changed is all that can be said.
    const contents = (await recorded?.contents(asked).catch(() => undefined)) ?? new Map<string, Before>()
    const all: Difference[] = []
    for (const path of paths) {
      const one = { path, before: imageAtStart(path, moved, contents), after: await current(path) }
      if (differ(one)) all.push(one)
    }
    return all
  }
  const set = async (path: string, content: Before): Promise<void> => {
    if (content === null) await workspace.remove(path)
    else if (content !== undefined) await workspace.write(path, content)
  }
  /** From what the files are now to what they were when the run began, and those of `held` to what they are after it. */
  const moves = async (held: readonly Difference[]): Promise<Difference[]> => {
    const now = new Map<string, Before>()
    const then = new Map<string, Before>()
    for (const { path, before, after } of await differences()) {
      now.set(path, after)
      then.set(path, before)
    }
    for (const { path, before, after } of held) {
      if (!now.has(path)) now.set(path, before)
      then.set(path, after)
    }
    const all = [...then].map(([path, after]) => ({ path, before: now.get(path), after }))
    // What is in the way goes first.
    return all.filter(differ).sort((one, other) => Number(other.after === null) - Number(one.after === null))
  }
  const move = async (files: readonly Difference[]): Promise<void> => {
    for (const { path, after } of files) await set(path, after)
  }

  return {
    async before(effects, start) {
      for (const effect of effects) {
        if (effect.kind === 'write') await imageOf(effect.path)
        else if (effect.kind === 'run' && tree === undefined) {
          recorded = start
          if (start === undefined) tree = earlier = await takeSnapshot(workspace.root, earlier)
          else {
            tree = await stampTree(workspace.root)
            // What somebody else wrote meanwhile is part of the start.
            for (const path of await start.since()) if (!images.has(path)) sinceStart.set(path, await current(path))
          }
        }
      }
    },
    async list() {
      return (await differences()).map(compare)
    },
    differences,
    made(path) {
      const relative = relativeOf(path)
      if (relative === undefined) return false
      if (images.has(relative)) return images.get(relative) === null
      return later.get(relative) === null && tree?.has(relative) !== true
    },
    async put(held) {
      const files = await moves(held)
      await journalled(place, files.flatMap(known), { trial: false }, () => move(files))
    },
    async asTheyWere(held, work) {
      return await journalled(place, held.flatMap(known), { trial: true }, async () => {
        await move(await moves([]))
        try {
          return await work()
        } finally {
          await move(await moves(held))
        }
      })
    },
    restart() {
      images = new Map()
      later = new Map()
      tree = undefined
      recorded = undefined
      sinceStart = new Map()
    },
  }
}

/** For the journal: none where the contents on a side are not known. */
const known = ({ path, before, after }: Difference) =>
  before === undefined || after === undefined ? [] : [{ path, before, after }]

function differ({ before, after }: Difference): boolean {
  if (before === null || after === null) return before !== after
  // What is too large to keep was touched at least.
  return before === undefined || after === undefined || !before.equals(after)
}

function compare({ path, before, after }: Difference): FileChange {
  const kind = before === null ? 'added' : after === null ? 'deleted' : 'changed'
  if (before === undefined || after === undefined) return { path, kind }
  const from = textOf(before)
  const to = textOf(after)
  return from === undefined || to === undefined ? { path, kind } : { path, kind, diff: unifiedDiff(path, from, to) }
}

/** Null stays null; undefined for what no diff is shown of. */
function textOf(bytes: Buffer | null): string | null | undefined {
  if (bytes === null) return null
  return bytes.length <= diffLimit && !bytes.includes(0) && isUtf8(bytes) ? bytes.toString('utf8') : undefined
}
