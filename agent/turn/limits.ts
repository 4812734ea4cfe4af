/** What a run has used, and whether it may go on. */
import { addUsage, type ModelInfo, noUsage, type Usage } from '../../engine/index.ts'
import type { Clock, RunLimits } from '../options.ts'

/** The account of one run. A class because it has a lifetime: the timer of its seconds. */
export class Spending {
  steps = 0
  usage: Usage = noUsage
  /** The part of `usage` that explorations took; undefined where there were none. */
  explored: Usage | undefined
  readonly #limits: RunLimits
  readonly #clock: Clock
  readonly #began: number
  readonly #overdue = new AbortController()
  readonly #cancel: () => void

  constructor(limits: RunLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
    this.#began = clock.now()
    // A timer holds 31 bits of milliseconds; more would fire at once.
    this.#cancel = clock.after(Math.min(limits.seconds * 1000, 2 ** 31 - 1), () => this.#overdue.abort())
  }

  /** Aborts when the seconds have run out. */
  get overdue(): AbortSignal {
    return this.#overdue.signal
  }

  get seconds(): number {
    return (this.#clock.now() - this.#began) / 1000
  }

  add(usage: Usage): void {
    this.usage = addUsage(this.usage, usage)
  }

  /** What an exploration has cost: it counts like the run's own words. */
  addExplored(usage: Usage): void {
    this.explored = addUsage(this.explored ?? noUsage, usage)
    this.add(usage)
  }

  /** Which limit forbids another request, in words for a person; undefined when none does. */
  exhausted(): string | undefined {
    const { steps, tokens, seconds } = this.#limits
    if (this.#overdue.signal.aborted) return `The limit of ${seconds} s was reached (--max-seconds).`
    if (this.steps >= steps) return `The limit of ${steps} requests to the model was reached (--max-steps).`
    if (this.usage.generatedTokens >= tokens) {
      return `The limit of ${tokens} generated tokens was reached (--max-tokens).`
    }
    return undefined
  }

  /** The most tokens that the next reply may have; `replies`: so many are written at once. */
  replyTokens(info: ModelInfo, most = Number.POSITIVE_INFINITY, replies = 1): number {
    const left = Math.floor((this.#limits.tokens - this.usage.generatedTokens) / replies)
    return Math.max(1, Math.min(left, most, info.contextTokens ?? left))
  }

  close(): void {
    this.#cancel()
  }
}
