/** What a repair ends with. */
import type { CheatKind } from './cheat-patterns.ts'
import type { Place } from './places.ts'

export type FixExit =
  | 'fixed'
  | 'not-fixed'
  | 'usage'
  | 'model'
  | 'sandbox'
  | 'limit'
  /** The check is green, or green and red by turns: there is nothing to repair here. */
  | 'not-reproducible'
  /** The check would pass only by a change that was refused. */
  | 'refused'
  | 'interrupted'

/** Exit codes of the process; those that `run` has too mean the same. */
export const fixExitCode: Readonly<Record<FixExit, number>> = {
  fixed: 0,
  'not-fixed': 1,
  usage: 2,
  model: 3,
  sandbox: 4,
  limit: 5,
  'not-reproducible': 6,
  refused: 7,
  interrupted: 130,
}

export interface Refusal {
  readonly kind: CheatKind
  readonly path: string
  readonly what: string
  readonly line?: number
}

/** The last line of `--json`, and what `--report` is made of. */
export interface FixResult {
  readonly type: 'result'
  readonly exit: FixExit
  readonly exitCode: number
  readonly check: string
  /** One paragraph: what was wrong, in the model's words, or why there is no repair. */
  readonly text: string
  /** What was run by us, and what came of it; a line each. */
  readonly verified: readonly string[]
  /** Changes that were taken back, named. */
  readonly refused: readonly Refusal[]
  /** Files of the repair, relative to the work tree. */
  readonly files: readonly string[]
  /** For `git apply`; empty unless fixed. */
  readonly patch: string
  /** What was tried, where it did not repair it: it was taken back. */
  readonly attempt?: string
  /** Lines of the work tree that the log of the failure complains of. */
  readonly places: readonly Place[]
  readonly rounds: number
  readonly seconds: number
}
