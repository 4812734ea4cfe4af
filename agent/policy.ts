/** Which effects a mode allows, which a person must allow, and which cannot be. */
import type { Policy, Sandbox, SandboxMode } from '../sandbox/index.ts'
import type { Effect } from '../tools/index.ts'

/** `confined`: allowed inside a working sandbox, refused without one. */
type Rule = 'allow' | 'confined' | 'ask'

/**
 * The whole policy of the first form. A mode is enforced below us too (the sandbox holds commands to it); this table
 * decides what is even tried. Reading is confined to the roots by the workspace in every mode.
 */
const rules: Readonly<Record<SandboxMode, Readonly<Record<Effect['kind'], Rule>>>> = {
  'read-only': { read: 'allow', write: 'ask', run: 'confined' },
  'workspace-write': { read: 'allow', write: 'allow', run: 'confined' },
  'full-access': { read: 'allow', write: 'allow', run: 'allow' },
}

export type Verdict =
  | { readonly kind: 'allow' }
  /** A person may allow it; where nobody can be asked this is a refusal. `reason` is for both readers. */
  | { readonly kind: 'ask'; readonly reason: string }
  /** No sandbox, so no command; nobody can allow that from within a run. */
  | { readonly kind: 'no-sandbox'; readonly reason: string }

/** Judges what a call would do: the strictest verdict over its effects. */
export function judgeEffects(effects: readonly Effect[], policy: Policy, sandbox: Sandbox): Verdict {
  let verdict: Verdict = { kind: 'allow' }
  for (const effect of effects) {
    const rule = rules[policy.mode][effect.kind]
    if (rule === 'confined' && sandbox.problem !== undefined) {
      return { kind: 'no-sandbox', reason: sandbox.problem.message }
    }
    if (rule === 'ask') verdict = { kind: 'ask', reason: askReason(effect, policy.mode) }
  }
  return verdict
}

function askReason(effect: Effect, mode: SandboxMode): string {
  return effect.kind === 'run'
    ? `This session is ${mode}: the command \`${effect.command}\` is not allowed.`
    : `This session is ${mode}: ${effect.kind === 'write' ? 'changing' : 'reading'} ${effect.path} is not allowed.`
}

/** The policy under which an approved call runs: the next wider mode, for this call only. */
export function escalated(policy: Policy): Policy {
  return policy.mode === 'read-only' ? { ...policy, mode: 'workspace-write' } : policy
}
