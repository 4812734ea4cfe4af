/** Evaluates many tokens, batch by batch, each for about as long as an abort may be waited for. */

import { EngineError } from '../engine.ts'
import type { Batch } from './batch.ts'
import { type Decoder, stopped } from './decoder.ts'
import type { Slots } from './slots.ts'

/** Tokens in one decode call at most. */
export const batchTokens = 512
/**
 * A batch lasts about this long (ms): progress is told, and at most this much is lost by an abort. Two threads read 15 % faster with
 * batches of 512 tokens than with 64 (1.5B, 128 computed at once).
 */
const chunkMs = 2000
/**
 * The same while a reply is being written, which waits for it; while others have some of our cores, taken up again between batches;
 * and where a batch that loses a core could not be stopped.
 */
const chunkBesideMs = 500
const smallestChunk = 64
/** The same while others have some of our cores: what they do is often over soon, and a core is taken up again between batches. */
const smallestBeside = 32

/** A batch is stopped because of others at most so often (ms): who comes and goes would cost more than he takes. */
const stopRestMs = 5000

/** What prefills need of the context. */
interface Home {
  readonly decoder: Pick<Decoder, 'batch' | 'givesWay'>
  readonly slots: Pick<Slots, 'length' | 'due' | 'grown' | 'clean' | 'checkpoint'>
  readonly rewind: 'free' | 'checkpoint'
  /** Generations that run now. */
  speakers(): number
  inTurn<T>(work: () => Promise<T>): Promise<T>
  /** Throws where the library's code is not 0, with what is left of the batch taken off. */
  settle(slots: readonly number[], code: number): Promise<void>
}

export interface PrefillOptions {
  /** Lengths at which the sequence can be come back to. */
  readonly checkpoints: readonly number[]
  readonly signal: AbortSignal
  onProgress(done: number): void
}

export class Prefill {
  readonly #home: Home
  /** Milliseconds a token costs in a batch, as last seen; slow at first, so that a slow machine, too, soon tells of its progress. */
  #tokenMs = 16
  /** When a batch was last stopped because of others. */
  #stoppedAt = Number.NEGATIVE_INFINITY

  constructor(home: Home) {
    this.#home = home
  }

  /** Evaluates tokens, which there must be room for, at the end of a sequence. Rejects with EngineError; what was evaluated before stays. */
  async take(slot: number, tokens: Int32Array, { checkpoints, signal, onProgress }: PrefillOptions): Promise<void> {
    const { decoder, slots, rewind, speakers } = this.#home
    const start = slots.length(slot)
    const stops = new Set(checkpoints)
    let done = 0
    while (done < tokens.length) {
      const began = performance.now()
      // Where what was stopped comes off again for nothing.
      const mayStop = rewind === 'free' && began - this.#stoppedAt > stopRestMs
      const chunk = mayStop && !decoder.givesWay && speakers() === 0 ? chunkMs : chunkBesideMs
      const fits = Math.round(chunk / this.#tokenMs / 32) * 32
      const smallest = decoder.givesWay ? smallestBeside : smallestChunk
      const at = start + done
      const stop = Math.min(...checkpoints.filter((place) => place > at), slots.due(slot), start + tokens.length)
      const size = Math.min(Math.max(1, stop - at), batchTokens, Math.max(smallest, fits))
      const piece = tokens.subarray(done, done + size)
      const patience = mayStop ? size * this.#tokenMs : 0
      const kept = stops.has(at + size)
      const evaluated = this.#home.inTurn(() => this.#piece(slot, piece, { patience, signal, kept }))
      if (!(await (rewind === 'free' ? unlessStopped(evaluated, signal) : evaluated))) {
        this.#stoppedAt = performance.now()
        continue
      }
      // The first batches of small size say little.
      if (size >= smallestBeside) this.#tokenMs = (performance.now() - began) / size
      done += size
      onProgress(done)
    }
  }

  /** Evaluates a batch. False where it was stopped because of others: nothing is left of it then. */
  async #piece(
    slot: number,
    piece: Int32Array,
    { patience, signal, kept }: { readonly patience: number; readonly signal: AbortSignal; readonly kept: boolean },
  ): Promise<boolean> {
    const { decoder, slots, settle, rewind } = this.#home
    const fill = (batch: Batch) => {
      piece.forEach((token, i) => {
        batch.add(token, slots.length(slot) + i, slot, false)
      })
    }
    const code = await decoder.batch(fill, signal, patience)
    // Stopped, and not by our signal: somebody else's operation was meant.
    if (code === 'crowded' || (code === stopped && !signal.aborted)) {
      await slots.clean(slot)
      return false
    }
    // Whoever stopped it has been told that nothing of it stays, see `unlessStopped`.
    await settle([slot], code === 0 && signal.aborted && rewind === 'free' ? stopped : code)
    slots.grown(slot, piece)
    await slots.checkpoint(slot, kept ? 'now' : 'when due')
    return true
  }
}

/**
 * What a batch comes to; rejects at once when it is stopped. The library hears of it between two pieces of its work, the longest of
 * which is the attention of a batch in one layer: 0.1 s and more, deep in a context. What is asked for next waits for its turn.
 */
async function unlessStopped<T>(evaluated: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const stop = () => reject(new EngineError('aborted', 'stopped'))
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    return await Promise.race([evaluated, promise])
  } finally {
    signal.removeEventListener('abort', stop)
    evaluated.catch(() => undefined /* told, where it was waited for */)
  }
}
