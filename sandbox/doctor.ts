/** What `cachalot doctor` tells about the sandbox. */
import { detect, type SandboxOptions } from './detect.ts'
import { guaranteesOf } from './guarantees.ts'
import { allGuarantees, guaranteeText } from './policy.ts'
import type { Sandbox, SandboxProblem } from './types.ts'

export interface SandboxReport {
  readonly backend: Sandbox['backend']
  /** Why commands cannot run here, with the fix; undefined when they can. */
  readonly problem: SandboxProblem | undefined
  /** One line for each thing that the self-test looked at: `ok` or `FAILED`, what, what was seen. */
  readonly lines: readonly string[]
  /** The AppArmor profile that lets bubblewrap work on Ubuntu 24.04, to be printed by `--apparmor`. */
  readonly appArmorProfile: string
}

/** Runs the self-test (about 30 ms; once in a process) and tells what it saw. Does not throw. */
export async function diagnoseSandbox(options: SandboxOptions = {}): Promise<SandboxReport> {
  const { backend, probe, problem, checks } = await detect(options)
  const lines = checks.map((check) => `${check.ok ? 'ok    ' : 'FAILED'} ${check.name} (${check.seen})`)
  if (probe !== undefined) {
    lines.unshift(`bubblewrap ${probe.programs.bwrap}${probe.machine.root ? ', as root' : ''}`)
    for (const guarantee of allGuarantees) {
      const given = guaranteesOf(backend, true).includes(guarantee)
      lines.push(`${given ? '+' : '-'} ${guarantee}: ${guaranteeText[guarantee]}`)
    }
  }
  return { backend, problem, lines, appArmorProfile: appArmorProfile(probe?.programs.bwrap ?? '/usr/bin/bwrap') }
}

/**
 * A profile that allows bubblewrap what Ubuntu 24.04 refuses to every program without one: user namespaces
 * (kernel.apparmor_restrict_unprivileged_userns). Syntax: apparmor.d(5), ABI 4.0.
 */
export function appArmorProfile(bwrap: string): string {
  return `# Install: cachalot doctor --apparmor | sudo tee /etc/apparmor.d/bwrap >/dev/null && sudo apparmor_parser -r /etc/apparmor.d/bwrap
abi <abi/4.0>,
include <tunables/global>

profile bwrap ${bwrap} flags=(unconfined) {
  userns,
  include if exists <local/bwrap>
}
`
}
