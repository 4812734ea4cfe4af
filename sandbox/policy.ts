/** What a mode requires and what a backend gives: compared, so that a gap is never silent. */

import { realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { guaranteesUnder } from './guarantees.ts'
import { type Guarantee, type Policy, type Sandbox, SandboxError } from './types.ts'

/** Every guarantee there is, in the order in which they are shown. */
export const allGuarantees: readonly Guarantee[] = [
  'write-outside',
  'git-metadata',
  'secrets-hidden',
  'env-clean',
  'net-off',
  'net-allowlist',
  'unix-hidden',
  'proc-isolated',
  'kill-all',
  'suid-free',
]

/** What each guarantee means, in words for a person. */
export const guaranteeText: Readonly<Record<Guarantee, string>> = {
  'write-outside': 'writes only to the work tree and a private /tmp',
  'git-metadata': 'cannot change .git, agent instructions or CI files that exist when it starts',
  'secrets-hidden': 'cannot read keys, tokens and credentials of the home folder',
  'env-clean': 'sees only an allow-list of environment variables',
  'net-off': 'reaches no network',
  'net-allowlist': 'reaches only the hosts that are allowed',
  'unix-hidden': 'reaches no socket of a program outside (Docker, ssh-agent, D-Bus, X11)',
  'proc-isolated': 'sees and signals no process outside',
  'kill-all': 'nothing it started is left when it ends',
  'suid-free': 'gains no privilege and leaves no set-uid file',
}

/** The strictest policy under which something can be written at all: for the self-tests. */
export const strictPolicy = (work: string): Policy => ({
  mode: 'workspace-write',
  roots: [work],
  extraWrite: [],
  denyRead: [],
  network: 'off',
  passEnv: [],
})

/** The guarantees that a policy cannot do without. */
export function requiredGuarantees(policy: Policy): readonly Guarantee[] {
  switch (policy.mode) {
    case 'full-access':
      return []
    case 'read-only':
    case 'workspace-write':
      // What the policy itself gives up is not required: see guaranteesUnder.
      return guaranteesUnder(policy, allGuarantees)
    default:
      return assertNever(policy.mode)
  }
}

/**
 * What the policy requires and the backend does not give; empty means that commands may run without asking. With the
 * backend `external` nothing is missing: the user said that the container holds, and answers for it.
 */
export function missingGuarantees(
  policy: Policy,
  backend: { readonly backend?: Sandbox['backend']; readonly guarantees: readonly Guarantee[] },
): readonly Guarantee[] {
  if (backend.backend === 'external') return []
  const needless = policy.accepts ?? []
  return requiredGuarantees(policy).filter((each) => !backend.guarantees.includes(each) && !needless.includes(each))
}

/**
 * Checks a policy before each use. Throws SandboxError('policy-gap') for a root that would open too much: `/`, the
 * home folder or an ancestor of it, a system folder; and for one that is not an absolute real path.
 */
export function checkPolicy(policy: Policy, home: string = homedir()): void {
  if (policy.mode === 'full-access') return
  if (policy.roots.length === 0) throw new SandboxError('policy-gap', 'The sandbox has no work tree to open.')
  for (const folder of [...policy.roots, ...policy.extraWrite]) {
    if (!path.isAbsolute(folder)) {
      throw new SandboxError('policy-gap', `A writable folder must be an absolute path, not "${folder}".`)
    }
    const real = realPath(folder)
    if (real === undefined) throw new SandboxError('policy-gap', `The folder ${folder} does not exist.`)
    if (policy.roots.includes(folder) && real !== path.resolve(folder)) {
      throw new SandboxError('policy-gap', `${folder} is a link to ${real}; start in the real folder.`)
    }
    if (tooWide(real, home)) {
      throw new SandboxError(
        'policy-gap',
        `${real} is too wide to be opened to commands. Start in a project folder below it.`,
      )
    }
  }
}

const SYSTEM = ['/bin', '/boot', '/dev', '/etc', '/home', '/lib', '/lib64', '/proc', '/run', '/sbin', '/sys', '/tmp']
const SYSTEM_TOO = ['/Users', '/usr', '/usr/bin', '/usr/lib', '/usr/local', '/var', '/var/lib', '/var/tmp', '/private']

function tooWide(folder: string, home: string): boolean {
  const realHome = realPath(home) ?? home
  if (folder === realHome || isInside(realHome, folder)) return true
  return [...SYSTEM, ...SYSTEM_TOO].includes(folder)
}

/** Whether `inner` is `outer` or lies below it; both absolute and normal. */
export function isInside(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(outer === '/' ? '/' : `${outer}/`)
}

/** The real path, or undefined when there is none or it may not be looked at. */
export function realPath(file: string): string | undefined {
  try {
    return realpathSync.native(file)
  } catch {
    // Missing or unreadable: the caller decides what that means.
    return undefined
  }
}

function assertNever(value: never): never {
  throw new TypeError(`unexpected mode ${String(value)}`)
}
