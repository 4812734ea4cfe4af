/** `cachalot cache export | import`: readings carried from one machine to another. */
import { existsSync, statSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { surveyBases } from '../../agent/index.ts'
import {
  exportEntries,
  holdsText,
  importEntries,
  type ListedEntry,
  listStore,
  type TextMark,
} from '../../engine/index.ts'
import { kvFolder, resolvePaths } from '../paths.ts'
import { plural } from '../terminal/numbers.ts'
import { UsageError } from '../usage-error.ts'
import { entryOf, say } from './cache.ts'

/** In an export folder: the readings and the packed repositories, as they lie in the cache folder. */
const parts = { readings: 'kv', repositories: 'repositories' } as const

/**
 * Copies readings into a folder, all with all packed repositories, or those named with the repositories that they hold. Throws
 * UsageError.
 */
export async function exportCommand(folder: string, ids: readonly string[]): Promise<number> {
  const paths = resolvePaths()
  const to = resolve(folder)
  const entries = await listStore(kvFolder(paths))
  const chosen = ids.length === 0 ? entries : ids.map((id) => entryOf(id, entries))
  if (chosen.length === 0) throw new UsageError('nothing is saved yet (cachalot warm reads a repository)')
  await makeFolder(to)
  await exportEntries(chosen, join(to, parts.readings))
  const packed = join(paths.cache, parts.repositories)
  const { marks } = await surveyBases(packed)
  const wanted = ids.length === 0 ? [...marks.keys()] : await heldIn(chosen, marks)
  await copyBases(wanted, packed, join(to, parts.repositories))
  const repositories = wanted.length === 1 ? '1 packed repository' : `${wanted.length} packed repositories`
  say(`exported ${plural(chosen.length, 'reading')} and ${repositories} to ${to}`)
  return 0
}

/** One after the other: Node's own way to make folders of a path never ends in /proc. */
async function makeFolder(path: string): Promise<void> {
  if (existsSync(path)) return
  if (dirname(path) !== path) await makeFolder(dirname(path))
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return
    throw new UsageError(`${path} cannot be made: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The packed repositories whose text stands in one of the readings. */
async function heldIn(
  entries: readonly ListedEntry[],
  marks: ReadonlyMap<string, TextMark | undefined>,
): Promise<string[]> {
  const held: string[] = []
  for (const [name, mark] of marks) {
    if (mark === undefined) continue
    const found = await Promise.all(entries.map((entry) => holdsText(entry, mark)))
    if (found.includes(true)) held.push(name)
  }
  return held
}

/** Takes over an export; exit code 1 when something in it was refused. Throws UsageError. */
export async function importCommand(folder: string): Promise<number> {
  const paths = resolvePaths()
  const from = resolve(folder)
  if (statSync(join(from, parts.readings), { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new UsageError(`${from} is no export: there is no folder ${parts.readings} in it`)
  const { taken, refused } = await importEntries(join(from, parts.readings), kvFolder(paths))
  const packed = join(from, parts.repositories)
  const { marks, unusable } = await surveyBases(packed)
  await copyBases([...marks.keys()], packed, join(paths.cache, parts.repositories))
  for (const { id, why } of refused) say(`refused ${id}: ${why}`)
  for (const name of unusable) say(`refused ${parts.repositories}/${name}: it is damaged, or of another version`)
  say(`imported ${plural(taken, 'reading')}`)
  return refused.length + unusable.length === 0 ? 0 : 1
}

/** Each whole or not at all, and private to the user: they hold the text of files. */
async function copyBases(names: readonly string[], from: string, to: string): Promise<void> {
  if (names.length > 0) await mkdir(to, { recursive: true, mode: 0o700 })
  for (const name of names) {
    const temporary = join(to, `${name}.${process.pid}.tmp`)
    try {
      await writeFile(temporary, await readFile(join(from, name)), { mode: 0o600 })
      await rename(temporary, join(to, name))
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }
}
