/** Which effects a mode allows, which a person must allow, and which cannot be. */
import type { Policy, Sandbox, SandboxMode } from '../../sandbox/index.ts'
import type { Effect } from '../../tools/index.ts'

/** `confined`: allowed inside a working sandbox, refused without one. `listed`: allowed
 * where the user's configuration says so, else asked for. `never`: the mode is what was asked for. */
type Rule = 'allow' | 'confined' | 'listed' | 'ask' | 'never'

/**
 * A mode is enforced below us too (the sandbox holds commands to it); this table decides what is even tried. Reading is
 * confined to the roots by the workspace in every mode.
 */
const table: Readonly<Record<SandboxMode, Readonly<Record<Effect['kind'], Rule>>>> = {
  'read-only': { read: 'allow', write: 'ask', run: 'confined', 'open-write': 'never', 'open-host': 'ask', call: 'ask' },
  'workspace-write': {
    read: 'allow',
    write: 'allow',
    run: 'confined',
    'open-write': 'ask',
    'open-host': 'ask',
    call: 'listed',
  },
  'full-access': {
    read: 'allow',
    write: 'allow',
    run: 'allow',
    'open-write': 'allow',
    'open-host': 'allow',
    call: 'allow',
  },
}

export type ModeVerdict =
  | { readonly kind: 'allow' }
  /** A person may allow it; where nobody can be asked this is a refusal. `reason` is for both readers. */
  | { readonly kind: 'ask'; readonly reason: string }
  | { readonly kind: 'deny'; readonly reason: string }
  /** No sandbox, so no command; nobody can allow that from within a run. */
  | { readonly kind: 'no-sandbox'; readonly reason: string }

/** Judges what a call would do: the strictest verdict over its effects. */
export function judgeEffects(effects: readonly Effect[], policy: Policy, sandbox: Sandbox): ModeVerdict {
  const reasons: string[] = []
  for (const effect of effects) {
    const rule = table[policy.mode][effect.kind]
    if (rule === 'confined' && sandbox.problem !== undefined) {
      return { kind: 'no-sandbox', reason: sandbox.problem.message }
    }
    if (rule === 'never') return { kind: 'deny', reason: reasonOf(effect, policy.mode) }
    if (rule === 'listed' && effect.kind === 'call' && effect.listed) continue
    if (rule === 'ask' || rule === 'listed') reasons.push(reasonOf(effect, policy.mode))
  }
  return reasons.length === 0 ? { kind: 'allow' } : { kind: 'ask', reason: [...new Set(reasons)].join(' ') }
}

function reasonOf(effect: Effect, mode: SandboxMode): string {
  switch (effect.kind) {
    case 'run':
      return `This session is ${mode}: the command \`${effect.command}\` is not allowed.`
    case 'write':
      return `This session is ${mode}: changing ${effect.path} is not allowed.`
    case 'read':
      return `This session is ${mode}: reading ${effect.path} is not allowed.`
    case 'open-write':
      return mode === 'read-only'
        ? `This session is ${mode}: writing to ${effect.path} is not allowed.`
        : `The command wants to write to ${effect.path}, outside of the work tree.`
    case 'open-host':
      return `The command wants to reach ${effect.host}.`
    case 'call':
      return `${effect.tool} of the MCP server ${effect.server} runs outside of the sandbox (allow it by allow = ["${effect.tool}"] in [mcp.${effect.server}]).`
    default:
      return effect satisfies never
  }
}
