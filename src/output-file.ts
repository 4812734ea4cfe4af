import { accessSync, constants, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { UsageError } from './usage-error.ts'

/**
 * Looks before the work whether a flag's file can be written after it; undefined is a flag that was not given. Throws
 * UsageError where it cannot: found out at the end it would cost the work.
 */
export function wantWritable(flag: string, given: string | undefined): void {
  if (given === undefined) return
  const path = resolve(given)
  const there = statSync(path, { throwIfNoEntry: false })
  if (given === '' || there?.isDirectory() === true) throw new UsageError(`${flag}: ${path} is a folder; name a file`)
  const folder = dirname(path)
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new UsageError(`${flag}: there is no folder ${folder}`)
  }
  try {
    accessSync(there === undefined ? folder : path, constants.W_OK)
  } catch {
    throw new UsageError(`${flag}: ${path} may not be written`)
  }
}
