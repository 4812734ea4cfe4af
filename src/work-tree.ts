import { realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { UsageError } from './usage-error.ts'

/** The folder to work in, absolute and without links. Throws UsageError when it is none. */
export function workTree(given: string | undefined): string {
  const path = resolve(given ?? '.')
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new UsageError(`--cwd: ${path} is not a folder`)
  }
  return realpathSync(path)
}
