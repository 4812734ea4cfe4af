/** What a command asks for beyond its sandbox: one path to write, one host to reach, and never more than that. */
import { realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { checkPolicy, type Policy, parseHostRules, type Sandbox, SandboxError } from '../../sandbox/index.ts'
import type { Effect } from '../../tools/index.ts'

/** A wish that cannot be put to a person as it is; `message` tells the model what to ask for instead. */
export class OpeningError extends Error {
  override readonly name = 'OpeningError'
}

/**
 * The effects with each wish spelt as what would be opened: the real path, so that a link shows where it leads. What is
 * open already is left out. Throws OpeningError for what cannot be opened: a path that is not there or too wide, a host that is
 * none.
 */
export function spelt(effects: readonly Effect[], policy: Policy, sandbox: Sandbox): readonly Effect[] {
  return effects.flatMap((effect): Effect[] => {
    if (effect.kind !== 'open-write' && effect.kind !== 'open-host') return [effect]
    // Nothing is shut that could be opened.
    if (policy.mode === 'full-access' || sandbox.backend === 'external' || sandbox.backend === 'none') return []
    if (effect.kind === 'open-host') {
      if (policy.network === 'full' || policy.allowHosts?.includes(effect.host)) return []
      possible(() => parseHostRules([effect.host]))
      return [{ kind: 'open-host', host: effect.host }]
    }
    const path = realPathOf(effect.path, policy.roots[0] ?? '/')
    if ([...policy.roots, ...policy.extraWrite, '/tmp'].some((open) => isInside(path, open))) return []
    if (policy.mode === 'workspace-write') possible(() => checkPolicy({ ...policy, extraWrite: [path] }))
    return [{ kind: 'open-write', path }]
  })
}

/** Nobody is asked for what the sandbox would not give. */
function possible(check: () => void): void {
  try {
    check()
  } catch (error) {
    throw error instanceof SandboxError ? new OpeningError(error.message) : error
  }
}

function realPathOf(path: string, root: string): string {
  const absolute = resolve(root, path.replace(/^~(?=\/|$)/, homedir()))
  try {
    return realpathSync(absolute)
  } catch {
    throw new OpeningError(`${absolute} is not there: name the file or folder that is, in which the command writes.`)
  }
}

const isInside = (inner: string, outer: string): boolean => inner === outer || inner.startsWith(`${outer}/`)

/** The policy under which a call runs that a person has allowed: wider by what was asked, for this call only. */
export function widened(policy: Policy, effects: readonly Effect[]): Policy {
  const paths = effects.flatMap((effect) => (effect.kind === 'open-write' ? [effect.path] : []))
  const hosts = effects.flatMap((effect) => (effect.kind === 'open-host' ? [effect.host] : []))
  const writes = effects.some(({ kind }) => kind === 'write')
  return {
    ...policy,
    mode: policy.mode === 'read-only' && writes ? 'workspace-write' : policy.mode,
    extraWrite: [...policy.extraWrite, ...paths],
    ...(hosts.length > 0 && { allowHosts: [...(policy.allowHosts ?? []), ...hosts] }),
  }
}
