import type { RepositoryPlan } from './repository/plan.ts'

/** What a session that began now would have in its context. */
export interface ContextReport {
  readonly contextTokens: number | undefined
  readonly budgetTokens: number
  /** Whether a session that began now would have the repository in its context. */
  readonly resident: boolean
  /** Why, in words for a person. */
  readonly why: string
  /** What it would have, or could have. */
  readonly plan: RepositoryPlan
  /** Tokens of system and instructions. */
  readonly otherTokens: number
  /** How fast this machine reads with the model; undefined where that was not measured. */
  readonly tokensPerSecond: number | undefined
}
