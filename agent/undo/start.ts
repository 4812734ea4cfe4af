/** The work tree as it was when a turn began to write, for those who tell what the turn changed. */
import type { Recorded } from './record.ts'
import { scanTree } from './scan.ts'
import type { Store } from './store.ts'

export interface StartOfTurn {
  /** Of files alone: null where there was none, left out where it was too large or could not be read. */
  contents(paths: readonly string[]): Promise<ReadonlyMap<string, Buffer | null>>
  /** Paths that may have become another since: by tools of the turn, or by somebody else. */
  since(): Promise<readonly string[]>
}

interface Kept {
  readonly store: Store
  readonly recorded: Recorded
}

/** What differs now from the record, or may: it was written a moment ago. */
export async function changedPaths(root: string, { store, recorded }: Kept): Promise<string[]> {
  const now = await scanTree(root, { own: store.repository, expected: recorded.scan.keys() })
  const changed = [...now].filter(([path, { stamp }]) => stamp === '' || recorded.scan.get(path)?.stamp !== stamp)
  return changed.map(([path]) => path)
}

/** So many files are asked for together: they are in memory at once. */
const together = 200

/** The contents of these paths in the record, see StartOfTurn. */
export async function contentsOf(
  { store, recorded }: Kept,
  paths: readonly string[],
): Promise<Map<string, Buffer | null>> {
  const entries = await store.entries(recorded.tree)
  const found = new Map<string, Buffer | null>()
  for (let from = 0; from < paths.length; from += together) {
    const some = paths.slice(from, from + together).filter((path) => !recorded.left.has(path))
    const oidOf = (path: string): string | undefined => {
      const entry = entries.get(path)
      return entry === undefined || entry.mode === '120000' ? undefined : entry.oid
    }
    const bytes = await store.contents([...new Set(some.flatMap((path) => oidOf(path) ?? []))])
    for (const path of some) {
      const oid = oidOf(path)
      const content = oid === undefined ? null : bytes.get(oid)
      if (content !== undefined) found.set(path, content)
    }
  }
  return found
}
