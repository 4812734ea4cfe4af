/** What of the rules the sandbox itself can hold commands to. */
import type { Policy } from '../../sandbox/index.ts'
import type { Rule } from './rules.ts'

/** The globs of rules that forbid, for a policy: what commands may not change, and what they may not read. */
export function heldGlobs(rules: readonly Rule[]): Pick<Policy, 'readOnlyGlobs' | 'hiddenGlobs'> {
  const of = (wanted: Rule['access']): string[] => [
    ...new Set(
      rules.flatMap(({ action, tool, path, access = 'write' }) =>
        action === 'deny' && path !== undefined && access === wanted && (tool ?? 'shell') === 'shell' ? [path] : [],
      ),
    ),
  ]
  return { readOnlyGlobs: of('write'), hiddenGlobs: of('read') }
}
