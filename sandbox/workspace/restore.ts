/** Puts back what was there: files with their modes, links, and the absence of folders. For undo. */
import { randomBytes } from 'node:crypto'
import { constants, lstatSync, renameSync, rmdirSync, symlinkSync, unlinkSync } from 'node:fs'
import { open } from 'node:fs/promises'
import type { WorkspaceEntry } from '../types.ts'
import type { Place } from './walk.ts'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants

/**
 * Makes the entry beside its place and renames it over whatever file or link is there; a second name of that file keeps
 * the old content. Not synced: who restores can do it again. Rejects with the system's error for a folder in the way.
 */
export async function restoreEntry(place: Place, entry: WorkspaceEntry): Promise<void> {
  const temporary = `${place.folder}/.cachalot-${process.pid}-${randomBytes(6).toString('hex')}.tmp`
  const before = lstatSync(place.file, { throwIfNoEntry: false })
  try {
    if (entry.kind === 'link') symlinkSync(entry.target, temporary)
    else {
      const handle = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
      try {
        await handle.writeFile(entry.bytes)
        if (before !== undefined && process.geteuid?.() === 0) await handle.chown(before.uid, before.gid)
        // Less set-id bits: nothing that is put back gives rights.
        await handle.chmod(entry.mode & 0o777)
      } finally {
        await handle.close()
      }
    }
    renameSync(temporary, place.file)
  } catch (error) {
    removeQuietly(temporary)
    throw error
  }
}

/** Removes a folder that holds nothing; false where it holds something or is none. */
export function removeEmptyFolder(place: Place): boolean {
  try {
    rmdirSync(place.file)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR' || code === 'EINVAL') return false
    throw error
  }
}

function removeQuietly(file: string): void {
  try {
    unlinkSync(file)
  } catch {
    // Never made, or gone: the error that brought us here is the one to tell.
  }
}
