/** What a policy means on this machine, in lines for a person (`--explain`) and for the model. */
import { homedir } from 'node:os'
import path from 'node:path'
import { commandEnvironment } from './environment.ts'
import { guaranteesUnder } from './guarantees.ts'
import { secretMasks } from './linux/masks.ts'
import { allGuarantees, guaranteeText, missingGuarantees } from './policy.ts'
import { protectedPaths } from './protect.ts'
import type { Policy, Sandbox } from './types.ts'

/**
 * One line for each guarantee (`+` held, `-` not held), then what may be written, what is held read-only in there, what
 * is hidden, and which variables were withheld. Reads the disk as a command's start does.
 */
export function explainPolicy(
  policy: Policy,
  sandbox: Pick<Sandbox, 'backend' | 'guarantees' | 'problem'>,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string[] {
  const lines = [`mode ${policy.mode}, backend ${sandbox.backend}`]
  if (sandbox.problem !== undefined && policy.mode !== 'full-access') return [...lines, sandbox.problem.message]
  const held = guaranteesUnder(policy, sandbox.guarantees)
  for (const guarantee of allGuarantees) {
    lines.push(`${held.includes(guarantee) ? '+' : '-'} ${guarantee}: ${guaranteeText[guarantee]}`)
  }
  if (policy.mode === 'full-access') return [...lines, 'Commands run with all your rights.']
  if (sandbox.backend === 'external')
    return [...lines, 'What holds commands is the container or machine around this one.']
  const missing = missingGuarantees(policy, sandbox)
  if (missing.length > 0) lines.push(`missing, so commands are refused: ${missing.join(', ')}`)

  const home = env['HOME'] ?? homedir()
  const writable = policy.mode === 'read-only' ? [] : [...policy.roots, ...policy.extraWrite]
  lines.push(`writable: ${[...writable, 'a private /tmp'].join(', ')}`)
  // Said only where the backend holds it.
  for (const root of held.includes('git-metadata') ? writable : []) {
    const forbidden = (policy.readOnly ?? []).filter((file) => file.startsWith(`${root}/`))
    const kept = [...protectedPaths(root), ...forbidden].map((file) => path.relative(root, file) || '.')
    if (kept.length > 0) lines.push(`read-only in ${root}: ${kept.join(', ')}`)
  }
  const hidden = secretMasks(home, policy.denyRead).map((mask) => mask.path)
  if (held.includes('secrets-hidden'))
    lines.push(`hidden: ${['/tmp, /run and /boot of the host', ...hidden].join(', ')}`)
  lines.push(`network: ${networkText(policy)}`)
  const { variables, withheld } = commandEnvironment({
    ...{ from: env, pass: policy.passEnv, temporary: '/tmp', sandbox: sandbox.backend },
  })
  lines.push(`environment: ${Object.keys(variables).sort().join(' ')}`)
  if (withheld.length > 0) lines.push(`withheld, they look like credentials: ${withheld.join(' ')}`)
  return lines
}

function networkText(policy: Policy): string {
  if (policy.network === 'full') return 'the one of this machine'
  const hosts = policy.allowHosts ?? []
  return hosts.length > 0 ? `only ${hosts.join(', ')}` : 'none'
}
