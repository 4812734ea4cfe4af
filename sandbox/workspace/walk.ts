/**
 * Walks from a root to a path one component at a time, so that no link planted between a check and a use can lead out.
 * On Linux each folder is held open and the next one is opened relative to it (`/proc/self/fd/N/name`), never
 * following a link. Where there is no /proc (macOS) each component is looked at and the real path checked afterwards.
 */
import { closeSync, constants, existsSync, lstatSync, mkdirSync, openSync, readlinkSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { isInside } from '../policy.ts'
import { WorkspaceError } from '../types.ts'

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants

/** As many links as the kernel follows in one path (MAXSYMLINKS). */
const MAX_LINKS = 40

/** A folder that stays the same one while we work in it. */
interface Folder {
  /** The descriptor that holds it open; undefined where folders are known by path. */
  readonly descriptor: number | undefined
  /** What system calls are given: `/proc/self/fd/N`, or the path. */
  readonly base: string
  /** Its name in the folder above; empty for the root. */
  readonly name: string
}

export interface Place {
  /** For system calls on the last component; never follow it. */
  readonly file: string
  /** For system calls on the folder that holds it. */
  readonly folder: string
  readonly descriptor: number | undefined
  /** Where it really is, relative to the root, with `/`; `.` is the root itself. */
  readonly real: string
  close(): void
}

export interface WalkOptions {
  /**
   * `inside`: links are followed as long as each step stays inside the root (reading). `none`: a link anywhere in the
   * path is refused, with the real path to use (writing: what a rule allowed must be what is written).
   */
  readonly links: 'inside' | 'none'
  /**
   * A link at the last component: treated as those before it, or kept as the thing that is meant (to look at it or to
   * remove it). The caller's own call on `Place.file` must not follow it either.
   */
  readonly last: 'same' | 'keep'
  readonly makeFolders?: boolean
  /** Hold each folder open (see above), or know it by path. */
  readonly proc: boolean
}

/** Whether folders can be held open and named: Linux with /proc mounted. */
export const hasProc = process.platform === 'linux' && existsSync('/proc/self/fd')

/** @param relative a path relative to the root, normal, without `..`; `.` is the root. Throws WorkspaceError. */
export function walk(root: string, relative: string, options: WalkOptions): Place {
  const { proc } = options
  const stack: Folder[] = [openRoot(root, relative, proc)]
  const close = (): void => {
    for (const folder of stack.splice(0)) closeFolder(folder)
  }
  try {
    const names = relative === '.' ? [] : relative.split('/')
    let links = 0
    while (names.length > 0) {
      const name = names.shift()!
      if (name === '' || name === '.') continue
      if (name === '..') {
        if (stack.length === 1) throw leadsOut(relative)
        closeFolder(stack.pop()!)
        continue
      }
      const here = stack.at(-1)!
      const file = `${here.base}/${name}`
      const last = names.length === 0
      const target = last && options.last === 'keep' ? undefined : linkTarget(file)
      if (target !== undefined) {
        if (options.links === 'none') throw linkInTheWay(root, relative)
        if (++links > MAX_LINKS) throw new WorkspaceError('link', relative, `${relative}: too many links.`)
        names.unshift(...stepsOf(target, root, relative, stack))
        continue
      }
      if (last) return finish(stack, name, root, relative, proc, close)
      stack.push(openFolder(here, name, relative, options.makeFolders === true, proc))
    }
    return finish(stack, undefined, root, relative, proc, close)
  } catch (error) {
    close()
    throw error
  }
}

function finish(
  stack: readonly Folder[],
  name: string | undefined,
  root: string,
  relative: string,
  proc: boolean,
  close: () => void,
): Place {
  const folder = stack.at(-1)!
  // By path a folder may have been exchanged meanwhile: only its real path now tells where we are.
  if (!proc && !isInside(realpathSync(folder.base), root)) throw leadsOut(relative)
  const names = stack.slice(1).map((each) => each.name)
  return {
    // "/." because the descriptor itself is a link in /proc, and nothing here follows one.
    file: `${folder.base}/${name ?? '.'}`,
    folder: folder.base,
    descriptor: folder.descriptor,
    real: [...names, ...(name === undefined ? [] : [name])].join('/') || '.',
    close,
  }
}

function openRoot(root: string, relative: string, proc: boolean): Folder {
  if (!proc) return { descriptor: undefined, base: root, name: '' }
  try {
    const descriptor = openSync(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    return { descriptor, base: `/proc/self/fd/${descriptor}`, name: '' }
  } catch (error) {
    throw systemError(error, relative)
  }
}

function openFolder(above: Folder, name: string, relative: string, make: boolean, proc: boolean): Folder {
  const file = `${above.base}/${name}`
  for (let made = false; ; made = true) {
    try {
      if (proc) {
        const descriptor = openSync(file, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        return { descriptor, base: `/proc/self/fd/${descriptor}`, name }
      }
      if (lstatSync(file).isDirectory()) return { descriptor: undefined, base: file, name }
      throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR' })
    } catch (error) {
      if (!make || made || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw systemError(error, relative)
    }
    try {
      mkdirSync(file)
    } catch (error) {
      // Somebody else made it meanwhile: opening tells whether it is a folder.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw systemError(error, relative)
    }
  }
}

function closeFolder(folder: Folder): void {
  if (folder.descriptor !== undefined) closeSync(folder.descriptor)
}

/** What a link says, or undefined when it is none. */
function linkTarget(file: string): string | undefined {
  try {
    return readlinkSync(file)
  } catch {
    // EINVAL: no link. ENOENT and the rest are told by the open that follows.
    return undefined
  }
}

/** The steps that a link's target adds. An absolute one starts again at the root, when it leads there at all. */
function stepsOf(target: string, root: string, relative: string, stack: Folder[]): string[] {
  if (!path.isAbsolute(target)) return target.split('/')
  const normal = path.normalize(target).replace(/\/+$/, '')
  if (!isInside(normal, root)) throw leadsOut(relative)
  for (const folder of stack.splice(1)) closeFolder(folder)
  return normal.slice(root.length).split('/')
}

const leadsOut = (relative: string): WorkspaceError =>
  new WorkspaceError('link', relative, `${relative} is a link that leads out of the work tree; it is not followed.`)

function linkInTheWay(root: string, relative: string): WorkspaceError {
  let hint = 'Write to the real file instead.'
  try {
    const real = realpathSync(path.join(root, relative))
    hint = isInside(real, root)
      ? `Write to the real file instead: ${path.relative(root, real)}`
      : 'It leads out of the work tree.'
  } catch {
    // Dangling: there is no real file to name.
  }
  return new WorkspaceError(
    'link',
    relative,
    `${relative} goes through a symbolic link; links are not written through. ${hint}`,
  )
}

/** An error of the system as one of ours. */
export function systemError(error: unknown, relative: string): WorkspaceError {
  if (error instanceof WorkspaceError) return error
  const code = (error as NodeJS.ErrnoException).code
  switch (code) {
    case 'ENOENT':
      return new WorkspaceError('not-found', relative, `${relative} does not exist.`)
    case 'ENOTDIR':
      return new WorkspaceError(
        'not-found',
        relative,
        `${relative} does not exist: a part of the path is not a folder.`,
      )
    case 'ELOOP':
      return new WorkspaceError('link', relative, `${relative} is a symbolic link; it is not followed.`)
    case 'EISDIR':
      return new WorkspaceError('not-a-file', relative, `${relative} is a folder.`)
    case 'ENAMETOOLONG':
      return new WorkspaceError('io', relative, 'The path is too long for the file system.')
    case 'ENOSPC':
    case 'EDQUOT':
      return new WorkspaceError('io', relative, `${relative}: the disk is full. Nothing was changed.`)
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return new WorkspaceError('io', relative, `${relative}: permission denied. Nothing was changed.`)
    default:
      return new WorkspaceError(
        'io',
        relative,
        `${relative}: ${error instanceof Error ? error.message : String(error)}`,
      )
  }
}
