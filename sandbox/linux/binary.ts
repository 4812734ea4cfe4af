/** Finds a program of the system once, by absolute path, where no command of ours can have put it. */
import { accessSync, constants, statSync } from 'node:fs'
import path from 'node:path'
import { isInside, realPath } from '../policy.ts'

/** Looked at besides PATH, which may be short in a service. */
const USUAL = ['/usr/bin', '/bin', '/usr/local/bin', '/usr/sbin', '/sbin']

/**
 * The real absolute path of a program, or undefined. Relative entries of PATH are passed over, and so is everything
 * inside the folders that commands may write to: a `bwrap` planted there would be the end of the sandbox.
 */
export function findProgram(name: string, pathVariable: string, outside: readonly string[]): string | undefined {
  for (const folder of [...pathVariable.split(':'), ...USUAL]) {
    if (!path.isAbsolute(folder)) continue
    const file = path.join(folder, name)
    const real = realPath(file)
    if (real === undefined) continue
    if (outside.some((root) => isInside(file, root) || isInside(real, root))) continue
    if (isExecutable(real)) return real
  }
  return undefined
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
