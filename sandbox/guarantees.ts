/** What each backend holds a command to. */
import type { Guarantee, Policy, Sandbox } from './types.ts'

const GIVEN: Readonly<Record<Sandbox['backend'], readonly Guarantee[]>> = {
  bwrap: [
    ...(['write-outside', 'git-metadata', 'secrets-hidden', 'env-clean', 'net-off', 'net-allowlist'] as const),
    ...(['unix-hidden', 'proc-isolated', 'kill-all', 'suid-free'] as const),
  ],
  // No process namespace: what leaves its group may stay. No network namespace: no list of hosts.
  seatbelt: [
    ...(['write-outside', 'git-metadata', 'secrets-hidden', 'env-clean', 'net-off'] as const),
    ...(['unix-hidden', 'proc-isolated', 'suid-free'] as const),
  ],
  landlock: ['write-outside', 'env-clean', 'net-off', 'suid-free'],
  external: ['env-clean'],
  none: [],
}

/** The guarantees of a backend; none at all while it has a problem. */
export const guaranteesOf = (backend: Sandbox['backend'], works: boolean): readonly Guarantee[] =>
  works ? GIVEN[backend] : []

/** What the weaker box does not give, and who asks for it does without. Not the list of hosts: that would be no list. */
export const landlockLacks: readonly Guarantee[] = GIVEN.bwrap.filter(
  (guarantee) => guarantee !== 'net-allowlist' && !GIVEN.landlock.includes(guarantee),
)

/** What of them a policy leaves: someone who opens the network opens what is reached by it. */
export function guaranteesUnder(policy: Policy, given: readonly Guarantee[]): readonly Guarantee[] {
  if (policy.mode === 'full-access') return []
  if (policy.network === 'full') {
    // Abstract sockets belong to the network namespace: with the host's own, they are in reach.
    const lost: readonly Guarantee[] = ['net-off', 'net-allowlist', 'unix-hidden']
    return given.filter((guarantee) => !lost.includes(guarantee))
  }
  const other: Guarantee = (policy.allowHosts?.length ?? 0) > 0 ? 'net-off' : 'net-allowlist'
  return given.filter((guarantee) => guarantee !== other)
}
