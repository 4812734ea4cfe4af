/** A look at a path that may be gone, or be something else by now. */
import { lstatSync, type Stats } from 'node:fs'

/** Undefined where nothing is to be seen: also where what was a folder is a file now, or is closed to us. Follows no link. */
export function lookAt(file: string): Stats | undefined {
  try {
    return lstatSync(file, { throwIfNoEntry: false })
  } catch {
    // ENOTDIR, EACCES, ELOOP, ENAMETOOLONG: a command may make any of these of a folder that we knew.
    return undefined
  }
}
