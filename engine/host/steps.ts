/** Steps of generations that run at the same time, evaluated as one batch: the weights are read once for all of them. */
import { EngineError } from '../engine.ts'
import type { Batch } from './batch.ts'
import type { BatchCosts } from './drafts.ts'
import type { Logits } from './logits.ts'
import type { Slots } from './slots.ts'

/** One sequence's part in a batch: tokens with logits for each of them. */
export interface Step {
  readonly slot: number
  readonly tokens: readonly number[]
  readonly signal: AbortSignal
  /** Picks from the logits; gives how many of the tokens stay. */
  readonly take: (logits: Logits, place: number) => number
}

/** What steps need of the context. */
interface Shared {
  readonly slots: Slots
  readonly logits: Logits
  readonly costs: BatchCosts
  readonly model: { readonly rewind: 'free' | 'checkpoint' }
  /** Generations that run now. */
  readonly speakers: number
  inTurn<T>(work: () => Promise<T>): Promise<T>
  evaluateStep(slots: readonly number[], fill: (batch: Batch) => void, signal?: AbortSignal): Promise<void>
}

interface Waiting extends Step {
  readonly done: (error?: unknown) => void
}

export class SharedSteps {
  readonly #context: Shared
  readonly #outputs: number
  #waiting: Waiting[] = []

  /** @param outputs tokens of one batch whose logits can be had */
  constructor(context: Shared, outputs: number) {
    this.#context = context
    this.#outputs = outputs
  }

  /** Resolves when the step was taken; rejects with EngineError. */
  take(step: Step): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: unknown) => (error === undefined ? resolve() : reject(error))
      this.#waiting.push({ ...step, done })
      if (this.#waiting.length > 1) return
      void this.#context.inTurn(async () => {
        // Those who picked from the last batch ask for the next one at about the same time.
        if (this.#waiting.length < this.#context.speakers) await new Promise((next) => setImmediate(next))
        await this.#takeAll(this.#waiting.splice(0))
      })
    })
  }

  async #takeAll(steps: readonly Waiting[]): Promise<void> {
    const wanted: Waiting[] = []
    for (const step of steps) {
      if (step.signal.aborted) step.done(new EngineError('aborted', 'stopped'))
      else wanted.push(step)
    }
    for (const group of groups(wanted, this.#outputs)) await this.#together(group)
  }

  async #together(group: readonly Waiting[]): Promise<void> {
    const { slots, costs, model } = this.#context
    const places: number[] = []
    let size = 0
    const fill = (batch: Batch) => {
      for (const [i, { slot, tokens }] of group.entries()) {
        places[i] = batch.size
        const at = slots.length(slot)
        tokens.forEach((token, place) => {
          batch.add(token, at + place, slot, true)
        })
      }
      size = batch.size
    }
    // A step is short. Where its half could not be cut off again it is waited for.
    const signal = group.length === 1 && model.rewind === 'free' ? group[0]?.signal : undefined
    try {
      const began = performance.now()
      const held = group.map(({ slot }) => slot)
      await this.#context.evaluateStep(held, fill, signal)
      if (group.length === 1) costs.observe(size, performance.now() - began)
    } catch (error) {
      for (const { done } of group) done(error)
      return
    }
    for (const [i, step] of group.entries()) await this.#settle(step, places[i] ?? 0)
  }

  async #settle({ slot, tokens, take, done }: Waiting, place: number): Promise<void> {
    const { slots, logits } = this.#context
    const before = slots.length(slot)
    slots.grown(slot, Int32Array.from(tokens))
    try {
      const stay = take(logits, place)
      await slots.cut(slot, before + stay)
      await slots.checkpoint(slot, 'when due')
      done()
    } catch (error) {
      done(error)
    }
  }
}

/** Steps that fit into one batch's outputs each. */
function groups(steps: readonly Waiting[], most: number): Waiting[][] {
  const all: Waiting[][] = []
  let room = 0
  for (const step of steps) {
    if (step.tokens.length > room) {
      all.push([])
      room = most
    }
    all.at(-1)?.push(step)
    room -= step.tokens.length
  }
  return all
}
