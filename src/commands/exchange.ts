/** `cachalot cache export | import`: readings carried from one machine to another. */
import { statSync } from 'node:fs'
import { cp, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { exportEntries, importEntries, listStore } from '../../engine/index.ts'
import { kvFolder, resolvePaths } from '../paths.ts'
import { plural } from '../terminal/numbers.ts'
import { UsageError } from '../usage-error.ts'
import { entryOf, say } from './cache.ts'

/** In an export folder: the readings and the packed repositories, as they lie in the cache folder. */
const parts = { readings: 'kv', repositories: 'repositories' } as const

/** Copies readings (all, or those named) and the packed repositories into a folder. Throws UsageError. */
export async function exportCommand(folder: string, ids: readonly string[]): Promise<number> {
  const paths = resolvePaths()
  const to = resolve(folder)
  const entries = await listStore(kvFolder(paths))
  const chosen = ids.length === 0 ? entries : ids.map((id) => entryOf(id, entries))
  if (chosen.length === 0) throw new UsageError('nothing is saved yet (cachalot warm reads a repository)')
  await exportEntries(chosen, join(to, parts.readings))
  await copyRepositories(join(paths.cache, parts.repositories), join(to, parts.repositories))
  say(`exported ${plural(chosen.length, 'reading')} to ${to}`)
  return 0
}

/** Takes over an export; exit code 1 when something in it was refused. Throws UsageError. */
export async function importCommand(folder: string): Promise<number> {
  const paths = resolvePaths()
  const from = resolve(folder)
  if (statSync(join(from, parts.readings), { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new UsageError(`${from} is no export: there is no folder ${parts.readings} in it`)
  const { taken, refused } = await importEntries(join(from, parts.readings), kvFolder(paths))
  await copyRepositories(join(from, parts.repositories), join(paths.cache, parts.repositories))
  for (const { id, why } of refused) say(`refused ${id}: ${why}`)
  say(`imported ${plural(taken, 'reading')}`)
  return refused.length === 0 ? 0 : 1
}

/** Plain files with names of ours only; what is in them is checked when it is used. */
async function copyRepositories(from: string, to: string): Promise<void> {
  const found = await readdir(from, { withFileTypes: true }).catch(() => []) // none was packed
  for (const entry of found) {
    if (!entry.isFile() || !/^[0-9a-f]{24}\.json$/.test(entry.name)) continue
    await cp(join(from, entry.name), join(to, entry.name), { recursive: false })
  }
}
