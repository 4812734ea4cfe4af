/** Replaces a whole file so that a crash leaves the old one or the new one, never a part. */
import { randomBytes } from 'node:crypto'
import { closeSync, constants, fsync, lstatSync, openSync, renameSync, type Stats, unlinkSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { WorkspaceError } from '../types.ts'
import type { Place } from './walk.ts'

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants

/**
 * Writes beside the file, makes it durable, and renames it over. Keeps mode and owner of what was there; `mode` (less the
 * umask) is for a file that is made. Refuses what
 * is not a regular file, and a file that has a second name: replacing one of them would part them silently, and
 * writing into it would change a file that may lie outside.
 */
export async function replaceFile(place: Place, name: string, bytes: Buffer, mode = 0o666): Promise<void> {
  const before = existing(place.file)
  if (before !== undefined) refuseUnusual(before, name)
  const temporary = `${place.folder}/.cachalot-${process.pid}-${randomBytes(6).toString('hex')}.tmp`
  const handle = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode & 0o777)
  try {
    try {
      if (before !== undefined) {
        await keepOwner(handle, before)
        // After the owner: changing that clears set-id bits, and those of a file with new content must not come back.
        await handle.chmod(before.mode & 0o777)
      }
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    renameSync(temporary, place.file)
  } catch (error) {
    removeQuietly(temporary)
    throw error
  }
  await syncFolder(place)
}

function existing(file: string): Stats | undefined {
  return lstatSync(file, { throwIfNoEntry: false })
}

function refuseUnusual(stat: Stats, name: string): void {
  if (stat.isDirectory()) throw new WorkspaceError('not-a-file', name, `${name} is a folder.`)
  if (stat.isSymbolicLink()) {
    throw new WorkspaceError('link', name, `${name} is a symbolic link; links are not written through.`)
  }
  if (!stat.isFile()) throw new WorkspaceError('not-a-file', name, `${name} is not a regular file.`)
  if (stat.nlink > 1) {
    throw new WorkspaceError(
      'link',
      name,
      `${name} has ${stat.nlink} names (hard links), one of which may lie outside; it is not written. ` +
        'Break the link first: copy it, remove it, and move the copy back.',
    )
  }
}

/** As root, or in a group of ours, the file keeps whom it belongs to; otherwise it becomes ours, as with any editor. */
async function keepOwner(handle: Awaited<ReturnType<typeof open>>, before: Stats): Promise<void> {
  if (before.uid === process.geteuid?.() && before.gid === process.getegid?.()) return
  try {
    await handle.chown(before.uid, before.gid)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error
  }
}

function removeQuietly(file: string): void {
  try {
    unlinkSync(file)
  } catch {
    // Never made, or gone: the error that brought us here is the one to tell.
  }
}

/** Makes the rename itself durable. Some file systems refuse to sync a folder; the data are safe without. */
async function syncFolder(place: Place): Promise<void> {
  const descriptor = openSync(place.folder, O_RDONLY | O_DIRECTORY)
  try {
    await promisify(fsync)(descriptor)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
  } finally {
    closeSync(descriptor)
  }
}
