/** From how a path is spelled to where it is in the work tree. */
import { homedir } from 'node:os'
import path from 'node:path'
import { isInside } from '../policy.ts'
import { WorkspaceError } from '../types.ts'

/**
 * A path relative to the root with `/`, normal, `.` for the root itself. By spelling alone: links are the walk's
 * business. Throws WorkspaceError('outside').
 *
 * @param spelled the root as it was given, when that goes through a link (`/tmp` on macOS): accepted as well.
 */
export function relativePath(file: string, root: string, spelled: string): string {
  if (file.includes('\0'))
    throw new WorkspaceError('outside', file.replaceAll('\0', '\\0'), 'A path may not contain a NUL byte.')
  // Whoever writes `~/x` means the home folder; a folder of the name `~` is reached by `./~`, and is never made by mistake.
  const named = file === '~' || file.startsWith('~/') ? path.join(homedir(), file.slice(1)) : file
  const absolute = path.isAbsolute(named) ? path.normalize(named) : path.join(root, named)
  const trimmed = absolute.length > 1 ? absolute.replace(/\/+$/, '') : absolute
  for (const base of [root, spelled]) {
    if (isInside(trimmed, base)) return path.relative(base, trimmed) || '.'
  }
  throw new WorkspaceError('outside', file, `${file} is outside the work tree ${root}. Only files in it can be used.`)
}
