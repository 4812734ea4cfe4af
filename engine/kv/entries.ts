/** The files of the store: which there are, which may go. Any process may add and remove at any time. */
import { readdir, rm, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { isAlive } from '../alive.ts'
import { tokensOfName } from './names.ts'

/** A saved reading. */
export interface KvEntry {
  /** `<model folder>/<name>`, what `cachalot cache` calls it. */
  readonly id: string
  readonly file: string
  readonly tokens: number
  readonly bytes: number
  /** Milliseconds since the epoch. */
  readonly usedAt: number
  readonly pinned: boolean
}

/** A temporary file is taken for left behind after so long (ms), sooner when its process is gone. */
const leftBehindMs = { gone: 60_000, any: 24 * 3600_000 }

/** All entries, longest unused first. */
export async function listEntries(folder: string): Promise<KvEntry[]> {
  const entries: KvEntry[] = []
  for (const model of await names(folder)) {
    const inside = new Set(await names(join(folder, model)))
    for (const name of inside) {
      const tokens = tokensOfName(name)
      const file = join(folder, model, name)
      const status = tokens === undefined ? undefined : await statOf(file)
      if (tokens === undefined || status === undefined) continue
      const { size: bytes, mtimeMs: usedAt } = status
      entries.push({ id: `${model}/${name}`, file, tokens, bytes, usedAt, pinned: inside.has(`${name}.pin`) })
    }
  }
  return entries.sort((a, b) => a.usedAt - b.usedAt || (a.id < b.id ? -1 : 1))
}

/** Removes an entry and its pin; false when it was gone already. */
export async function removeEntry({ file }: Pick<KvEntry, 'file'>): Promise<boolean> {
  const had = await unlink(file).then(
    () => true,
    () => false, // another process was first
  )
  await rm(`${file}.pin`, { force: true })
  return had
}

export interface Collected {
  readonly removed: readonly KvEntry[]
  readonly bytes: number
}

/** Removes the longest unused entries until the rest is within `maxBytes`, and what dead processes left half written. */
export async function collect(folder: string, maxBytes: number): Promise<Collected> {
  await sweep(folder)
  const entries = await listEntries(folder)
  let total = entries.reduce((sum, { bytes }) => sum + bytes, 0)
  const removed: KvEntry[] = []
  for (const entry of entries) {
    if (total <= maxBytes) break
    if (entry.pinned) continue
    await removeEntry(entry)
    removed.push(entry)
    total -= entry.bytes
  }
  return { removed, bytes: removed.reduce((sum, { bytes }) => sum + bytes, 0) }
}

async function sweep(folder: string): Promise<void> {
  for (const model of await names(folder)) {
    for (const name of await names(join(folder, model))) {
      const pid = /\.(\d+)\.tmp$/.exec(name)?.[1]
      if (pid === undefined) continue
      const file = join(folder, model, name)
      const age = Date.now() - ((await statOf(file))?.mtimeMs ?? Date.now())
      if (age > (isAlive(Number(pid)) ? leftBehindMs.any : leftBehindMs.gone)) await rm(file, { force: true })
    }
  }
}

/** Nothing for a folder that is not there, or is none. */
async function names(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).sort()
}

async function statOf(file: string): Promise<{ size: number; mtimeMs: number } | undefined> {
  const status = await stat(file).catch(() => undefined) // gone meanwhile
  return status?.isFile() === true ? status : undefined
}
