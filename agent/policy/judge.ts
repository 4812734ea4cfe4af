/** Whether a call may run: the mode, then the user's rules; the stricter of the two. */
import type { Policy, Sandbox } from '../../sandbox/index.ts'
import type { Effect } from '../../tools/index.ts'
import { judgeEffects, type ModeVerdict } from './modes.ts'
import type { Rule } from './rules.ts'

export type Verdict =
  | Exclude<ModeVerdict, { kind: 'allow' }>
  /** `asked`: a rule of the user allows it in so many words, so that no interface needs to ask. */
  | { readonly kind: 'allow'; readonly asked: boolean }

export interface Judged {
  readonly tool: string
  readonly effects: readonly Effect[]
  readonly policy: Policy
  readonly sandbox: Sandbox
  readonly rules: readonly Rule[]
}

/** Never rejects. */
export async function judgeCall({ tool, effects, policy, sandbox, rules }: Judged): Promise<Verdict> {
  const mode = judgeEffects(effects, policy, sandbox)
  if (rules.length === 0) return mode.kind === 'allow' ? { kind: 'allow', asked: false } : mode
  // Loaded when there are rules: the globs are a library.
  const { judgeByRules } = await import('./rules.ts')
  const rule = await judgeByRules(rules, tool, effects)
  if (rule.kind === 'deny') return { kind: 'deny', reason: rule.reason }
  if (mode.kind !== 'allow') return mode
  if (rule.kind === 'ask') return { kind: 'ask', reason: rule.reason }
  return { kind: 'allow', asked: rule.kind === 'allow' }
}
