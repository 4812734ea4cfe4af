/** What of the rules the sandbox itself can hold commands to. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Rule } from './rules.ts'

/**
 * Absolute paths that a rule forbids to change and that are there: a whole folder (`migrations/**`) or one file. Other globs
 * hold for the tools that change files, not for what a command does.
 */
export function heldPaths(rules: readonly Rule[], root: string): string[] {
  const paths = rules.flatMap(({ action, tool, path, access = 'write' }) => {
    if (action !== 'deny' || path === undefined || access !== 'write') return []
    if (tool !== undefined && tool !== 'shell') return []
    const base = path.replace(/\/\*\*(?:\/\*)?$/, '')
    return /[*?[\]{}()!]/.test(base) ? [] : [join(root, base)]
  })
  return [...new Set(paths)].filter((path) => existsSync(path))
}
