/** What a work tree looked like, so that it can be told what a shell command changed. */
import type { BigIntStats } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { readWithin } from '../sandbox/index.ts'
import { listFiles } from './files.ts'

/** Files up to this size are kept in memory, to show what changed in them. In bytes. */
const keepFile = 1024 * 1024
/** All kept files together. */
const keepAll = 48 * 1024 * 1024

interface Entry {
  /** Changes whenever the file does: size, times in nanoseconds, inode. A write that fakes its time still moves ctime. */
  readonly stamp: string
  /** Undefined when too large (then only the fact of a change is known), or kept by another. */
  readonly bytes: Buffer | undefined
}

/** Path relative to the root → what was there. */
export type Snapshot = ReadonlyMap<string, Entry>

/** Takes the tree as it is. What has not changed since `earlier` is taken over and not read again. */
export async function takeSnapshot(root: string, earlier?: Snapshot): Promise<Snapshot> {
  const entries = new Map<string, Entry>()
  let kept = 0
  await inBatches(await listFiles(root), async (path) => {
    const file = join(root, path)
    const stats = await stat(file)
    if (stats === undefined) return
    const stamp = stampOf(stats)
    const before = earlier?.get(path)
    if (before?.stamp === stamp) {
      kept += before.bytes?.length ?? 0
      entries.set(path, before)
      return
    }
    const size = Number(stats.size)
    const keep = size <= keepFile && kept + size <= keepAll
    if (keep) kept += size
    entries.set(path, { stamp, bytes: keep ? await readWithin(root, path) : undefined })
  })
  return entries
}

/** The same without the contents, for where another keeps them. */
export async function stampTree(root: string): Promise<Snapshot> {
  const entries = new Map<string, Entry>()
  await inBatches(await listFiles(root), async (path) => {
    const stats = await stat(join(root, path))
    if (stats !== undefined) entries.set(path, { stamp: stampOf(stats), bytes: undefined })
  })
  return entries
}

/** Paths that differ from the snapshot now: changed, added, or gone. */
export async function changedSince(root: string, snapshot: Snapshot): Promise<string[]> {
  const changed: string[] = []
  const now = new Set(await listFiles(root))
  await inBatches([...new Set([...snapshot.keys(), ...now])], async (path) => {
    const stats = await stat(join(root, path))
    const before = snapshot.get(path)?.stamp
    // A file that a command made ignored is still the same file; one that was never seen and is ignored does not count.
    if ((stats === undefined ? undefined : stampOf(stats)) !== before) changed.push(path)
  })
  return changed
}

/** Only regular files: a link is not followed, and a folder (a submodule) is not ours. */
async function stat(file: string): Promise<BigIntStats | undefined> {
  try {
    const stats = await lstat(file, { bigint: true })
    return stats.isFile() ? stats : undefined
  } catch {
    // Gone, or in a folder that cannot be entered: as good as not there.
    return undefined
  }
}

const stampOf = ({ size, mtimeNs, ctimeNs, ino }: BigIntStats) => `${size} ${mtimeNs} ${ctimeNs} ${ino}`

/** 64 at a time: enough to keep the disk busy, few enough for the limit on open files. */
async function inBatches(paths: readonly string[], work: (path: string) => Promise<void>): Promise<void> {
  for (let at = 0; at < paths.length; at += 64) await Promise.all(paths.slice(at, at + 64).map(work))
}
