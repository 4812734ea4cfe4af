/** The only way our own code reads or writes the user's files. */
import { closeSync, constants, fstatSync, lstatSync, openSync, read, readdirSync, readSync, unlinkSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { realPath } from '../policy.ts'
import { gitEntries, gitFolders } from '../protect.ts'
import { type Workspace, WorkspaceError } from '../types.ts'
import { relativePath } from './relative.ts'
import { removeEmptyFolder, restoreEntry } from './restore.ts'
import { hasProc, type Place, systemError, walk } from './walk.ts'
import { replaceFile } from './write.ts'

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024
const CHUNK = 256 * 1024
const SMALL = 64 * 1024

/**
 * Opens a work tree. Reading follows links that stay inside it; writing follows none, so that what a rule judged is
 * what is written. Throws WorkspaceError('not-found') when the folder is not there.
 */
export const openWorkspace = (folder: string): Workspace => openWorkspaceBy(folder, hasProc)

/** As openWorkspace, with the way to walk chosen: `proc` holds folders open, without it they are known by path (macOS). */
export function openWorkspaceBy(folder: string, proc: boolean): Workspace {
  const root = realPath(folder)
  if (root === undefined) throw new WorkspaceError('not-found', folder, `The folder ${folder} does not exist.`)
  if (!lstatSync(root).isDirectory()) throw new WorkspaceError('not-a-file', folder, `${folder} is not a folder.`)
  const spelled = path.resolve(folder)
  const metadata = gitEntries(root).flatMap((git) => gitFolders(git).map((each) => path.relative(root, each)))

  const relative = (file: string): string => relativePath(file, root, spelled)
  /** Runs `work` on a place and gives its descriptors back. Errors of the system become ours. */
  const at = async <T>(file: string, place: () => Place, work: (place: Place) => T | Promise<T>): Promise<T> => {
    try {
      const found = place()
      try {
        return await work(found)
      } finally {
        found.close()
      }
    } catch (error) {
      throw systemError(error, file)
    }
  }
  const reading = (file: string, last: 'same' | 'keep') => () => walk(root, file, { links: 'inside', last, proc })
  const writing = (file: string, last: 'same' | 'keep', makeFolders: boolean) => () => {
    refuseProtected(file, metadata)
    return walk(root, file, { links: 'none', last, makeFolders, proc })
  }

  return {
    root,
    relative,
    async read(file, options) {
      const name = relative(file)
      return at(name, reading(name, 'same'), (place) =>
        readWhole(place.file, name, options?.maxBytes ?? DEFAULT_MAX_BYTES),
      )
    },
    async stat(file) {
      const name = relative(file)
      try {
        return await at(name, reading(name, 'keep'), (place) => describe(place.file))
      } catch (error) {
        if (error instanceof WorkspaceError && error.kind === 'not-found') return undefined
        throw error
      }
    },
    async write(file, bytes, options) {
      const name = relative(file)
      if (name === '.') throw new WorkspaceError('not-a-file', name, 'The work tree itself is not a file.')
      await at(name, writing(name, 'same', true), (place) => replaceFile(place, name, bytes, options?.mode))
    },
    async remove(file) {
      const name = relative(file)
      if (name === '.') throw new WorkspaceError('not-a-file', name, 'The work tree itself is not removed.')
      // A link as the last component is removed itself; one on the way is refused like for writing.
      await at(name, writing(name, 'keep', false), (place) => removeEntry(place.file, name))
    },
    async restore(file, entry) {
      const name = relative(file)
      if (name === '.') throw new WorkspaceError('not-a-file', name, 'The work tree itself is not a file.')
      await at(name, writing(name, 'keep', true), (place) => restoreEntry(place, entry))
    },
    async removeEmptyFolder(file) {
      const name = relative(file)
      if (name === '.') return false
      return at(name, writing(name, 'keep', false), removeEmptyFolder)
    },
    async list(file) {
      const name = relative(file)
      return at(name, reading(name, 'same'), (place) => {
        const descriptor = openSync(place.file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_DIRECTORY)
        try {
          const base = place.descriptor === undefined ? place.file : `/proc/self/fd/${descriptor}`
          const entries = readdirSync(base, { withFileTypes: true })
          return entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort()
        } finally {
          closeSync(descriptor)
        }
      })
    },
  }
}

/** Git metadata is not written: a line in its config runs a program the next time git does anything. */
function refuseProtected(file: string, metadata: readonly string[]): void {
  const names = file.split('/')
  // Some file systems fold case, and some drop characters that are not seen (HFS+): git guards the same spellings.
  const spelled = names.map((name) =>
    name.replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g, '').toLowerCase(),
  )
  const inside = metadata.some((folder) => file === folder || file.startsWith(`${folder}/`))
  if (!inside && !spelled.some((name) => name === '.git' || name === 'git~1')) return
  throw new WorkspaceError(
    'protected',
    file,
    `${file} is git's own data and is not written directly. Use git commands.`,
  )
}

async function readWhole(file: string, name: string, maxBytes: number): Promise<Buffer> {
  // O_NONBLOCK: opening a FIFO would otherwise wait for its writer.
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(descriptor)
    if (stat.isDirectory()) throw new WorkspaceError('not-a-file', name, `${name} is a folder.`)
    if (!stat.isFile()) throw new WorkspaceError('not-a-file', name, `${name} is not a regular file.`)
    if (stat.size > maxBytes) throw tooLarge(name, stat.size, maxBytes)
    const chunks: Buffer[] = []
    let total = 0
    for (;;) {
      // One byte more than is expected, so that the end is seen; a file that grows is read on in larger pieces.
      const expected = Math.min(stat.size - total, maxBytes) + 1
      const chunk = Buffer.allocUnsafe(total > 0 || stat.size === 0 ? Math.max(CHUNK, expected) : expected)
      // A small file is read at once: a turn of the event loop takes longer than the reading.
      const small = chunk.length <= SMALL
      const bytesRead = small
        ? readSync(descriptor, chunk, 0, chunk.length, null)
        : (await promisify(read)(descriptor, chunk, 0, chunk.length, null)).bytesRead
      if (bytesRead === 0) return Buffer.concat(chunks, total)
      total += bytesRead
      if (total > maxBytes) throw tooLarge(name, total, maxBytes)
      chunks.push(chunk.subarray(0, bytesRead))
    }
  } finally {
    closeSync(descriptor)
  }
}

const tooLarge = (name: string, bytes: number, maxBytes: number): WorkspaceError =>
  new WorkspaceError('too-large', name, `${name} is too large: ${bytes} bytes, at most ${maxBytes} are read.`)

function describe(file: string) {
  const stat = lstatSync(file)
  const kind = stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'link' : 'other'
  return { kind, bytes: stat.size, modifiedMs: stat.mtimeMs, mode: stat.mode & 0o7777 } as const
}

function removeEntry(file: string, name: string): void {
  const stat = lstatSync(file)
  if (stat.isDirectory()) throw new WorkspaceError('not-a-file', name, `${name} is a folder; only files are removed.`)
  if (stat.isFile() || stat.isSymbolicLink()) unlinkSync(file)
  else throw new WorkspaceError('not-a-file', name, `${name} is not a regular file.`)
}
