/** Keeps the records of undo small: by age, by number, by size. */
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inUndoTurn } from '../../tools/index.ts'
import { heldNames } from './recorder.ts'
import { openStore, storeFolder } from './store.ts'
import { readTurns, writeTurns } from './turns.ts'
import type { UndoPlace } from './undo.ts'

export interface PruneLimits {
  readonly days: number
  readonly turns: number
  /** Of one work tree's records on the disk. */
  readonly bytes: number
  /** It is not done more often than this. */
  readonly everyHours: number
}

export const pruneLimits: PruneLimits = { days: 30, turns: 100, bytes: 2 ** 30, everyHours: 24 }

/** Forgets turns that are too old, too many or too large, the oldest first. `nowMs`: since the epoch. */
export async function pruneTurns(place: UndoPlace, limits: PruneLimits, nowMs: number): Promise<void> {
  const folder = storeFolder(place.stateFolder, place.root)
  const mark = join(folder, 'pruned')
  if (!existsSync(folder)) return
  const last = statSync(mark, { throwIfNoEntry: false })?.mtimeMs
  if (last !== undefined && nowMs - last < limits.everyHours * 3_600_000) return
  writeFileSync(mark, '', { mode: 0o600 })
  // A new store has nothing old; what is in it was packed just now.
  if (last === undefined && limits.everyHours > 0) return
  const store = await openStore(place.stateFolder, place.root)
  await inUndoTurn(place.root, async () => {
    const all = await readTurns(store)
    const oldest = new Date(nowMs - limits.days * 86_400_000).toISOString()
    let kept = all.filter(({ time }) => time >= oldest).slice(-limits.turns)
    for (;;) {
      const ids = new Set(kept.map(({ id }) => id))
      const current = await readTurns(store)
      await writeTurns(store, kept)
      await store.forget(current.filter(({ id }) => !ids.has(id)).flatMap(heldNames))
      const bytes = await store.clean()
      if (bytes <= limits.bytes || kept.length === 0) return
      kept = kept.slice(Math.ceil(kept.length / 2))
    }
  })
}
