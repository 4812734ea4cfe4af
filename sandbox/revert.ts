/** Takes back what the tripwire found where that loses nothing of anybody: git's own data, set-id bits, pipes that stop git. */
import { closeSync, constants, fchmodSync, fstatSync, lstatSync, openSync, unlinkSync } from 'node:fs'
import type { Finding } from './types.ts'
import { restoreEntry } from './workspace/restore.ts'
import { hasProc, type Place, walk } from './workspace/walk.ts'

/** What was at a path before. */
export interface Earlier {
  readonly content: Buffer
  readonly mode: number
}

/**
 * Puts back what was there (undefined: nothing), or takes set-id bits away. No link on the way is followed: who changed
 * the file may have laid one. Gives the words for it; undefined where it was left as it is.
 */
export async function revertFinding(
  { kind, path }: Pick<Finding, 'kind' | 'path'>,
  earlier: Earlier | undefined,
): Promise<string | undefined> {
  if (kind !== 'git-data' && kind !== 'set-id' && kind !== 'pipe') return undefined
  let place: Place | undefined
  try {
    place = walk('/', path.slice(1), { links: 'none', last: 'keep', proc: hasProc })
    if (kind === 'set-id') return clearBits(place.file) ? 'its set-id bits were taken away' : undefined
    if (earlier !== undefined) {
      await restoreEntry(place, { kind: 'file', bytes: earlier.content, mode: earlier.mode })
      return 'it was put back'
    }
    const found = lstatSync(place.file)
    if (found.isDirectory() || (kind === 'pipe' && !found.isFIFO())) return undefined
    unlinkSync(place.file)
    return 'it was removed'
  } catch {
    // Gone, or not ours to change: it is reported all the same.
    return undefined
  } finally {
    place?.close()
  }
}

function clearBits(file: string): boolean {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(descriptor)
    if (!stat.isFile()) return false
    fchmodSync(descriptor, stat.mode & 0o777)
    return true
  } finally {
    closeSync(descriptor)
  }
}
