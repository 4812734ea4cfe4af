/** The only way our own code reads or writes the user's files. */
import { closeSync, constants, lstatSync, openSync, readdirSync, unlinkSync } from 'node:fs'
import path from 'node:path'
import { realPath } from '../policy.ts'
import { gitEntries, gitFolders } from '../protect.ts'
import { type Workspace, WorkspaceError } from '../types.ts'
import { readWhole } from './read.ts'
import { relativePath } from './relative.ts'
import { removeEmptyFolder, restoreEntry } from './restore.ts'
import { hasProc, type Place, systemError, walk } from './walk.ts'
import { replaceFile } from './write.ts'

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024

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
