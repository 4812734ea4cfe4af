import type { AgentEvent } from '../../agent/index.ts'
import { noUsage } from '../../engine/index.ts'

/** A usage error as an event, so that the last line of `--json` is a `result` whatever happens. */
export interface UsageResult {
  readonly type: 'result'
  readonly exit: 'usage'
  readonly exitCode: 2
  readonly text: string
}

export type ResultEvent = Extract<AgentEvent, { type: 'result' }>

/** The result of `run`, with what was asked for beside the session's own. */
export interface RunResult extends ResultEvent {
  /** `--output-schema`: the value, as it was found valid. */
  readonly output?: unknown
  /** `--commit`: the commit. */
  readonly commit?: string
  /** `--worktree`: where the changes are (absent: the worktree is gone), and on which branch. */
  readonly worktree?: string
  readonly branch?: string
  /** `--dry-run`: changes that the model would make, as a diff where they say enough for one. */
  readonly planned?: readonly PlannedChange[]
}

export interface PlannedChange {
  readonly path: string
  readonly diff?: string
}

/** One way of showing a run. */
export interface Output {
  /** Draws one event. The last one is the result. */
  event(event: AgentEvent): void
  /** A passing line about work before the first event (download, loading); undefined when it is over. */
  status(text: string | undefined): void
}

/** The result of a run that ended before the session did, or before there was one. */
export function resultOf(given: Pick<ResultEvent, 'exit' | 'exitCode' | 'text'>, seconds: number): ResultEvent {
  return {
    type: 'result',
    ...given,
    changes: [],
    checks: [],
    steps: 0,
    seconds,
    usage: noUsage,
  }
}
