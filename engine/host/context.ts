/**
 * The KV cache and its sequences: evaluate, rewind, fork. Everything that would end the process inside the library is
 * checked here before the call. One decode at a time; callers take turns, and those that want one step each share it.
 */
import { EngineError, type KvType } from '../engine.ts'
import type { Batch } from './batch.ts'
import { Decoder, stopped } from './decoder.ts'
import { BatchCosts, CopyOdds, Payoff } from './drafts.ts'
import { later } from './functions.ts'
import type { Pointer } from './layout.ts'
import type { Library } from './library.ts'
import { Logits } from './logits.ts'
import type { Model } from './model.ts'
import { batchTokens, Prefill, type PrefillOptions } from './prefill.ts'
import { Slots } from './slots.ts'
import { SharedSteps, type Step } from './steps.ts'
import { openStopFlag } from './stop-flag.ts'
import { ThreadGovernor } from './threads.ts'

/** Tokens the library computes at once: on a CPU more is not faster (measured), and its buffers grow with it. */
const computeTokens = { cpu: 128, gpu: batchTokens }
/** Positions of one batch whose logits can be had. Unlimited, the buffer is batch × vocabulary: 300 MB instead of 70. */
const outputs = 16
/** `ggml_type` of the cache. */
const kvTypes: Record<KvType, number> = { f16: 1, q8_0: 8 }

export interface ContextOptions {
  readonly contextTokens: number
  readonly sequences: number
  readonly threads: number | undefined
  readonly kvType: KvType
  readonly checkpointBytes: number
  /** Tokens that a model which cannot be cut freely can still take back. */
  readonly rollbackTokens: number
  onThreads(threads: number, most: number): void
}

/** States go by parts through one sequence more, where a cache is one for all and holds nothing but what tokens left there. */
const hasSpare = (model: Model): boolean => model.rewind === 'free' && model.unifiedCache

export class Context {
  readonly logits: Logits
  readonly slots: Slots
  /** Tokens that one sequence can hold. */
  readonly sequenceTokens: number
  readonly handle: Pointer
  readonly library: Library
  readonly model: Model
  readonly costs = new BatchCosts()
  readonly odds = new CopyOdds()
  readonly payoff = new Payoff()
  /** Generations that run now. */
  speakers = 0
  readonly #decoder: Decoder
  readonly #prefill: Prefill
  readonly #steps: SharedSteps
  readonly #outputs: number
  readonly #rollbackTokens: number
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(
    library: Library,
    model: Model,
    handle: Pointer,
    options: ContextOptions,
    governor: ThreadGovernor,
  ) {
    const { call } = library
    this.library = library
    this.model = model
    this.handle = handle
    this.#rollbackTokens = options.rollbackTokens
    this.#outputs = Math.max(outputs, options.sequences)
    this.#steps = new SharedSteps(this, this.#outputs)
    this.sequenceTokens = call.contextSequenceTokens(handle)
    this.slots = new Slots(library, model, handle, {
      slots: options.sequences,
      spare: hasSpare(model) ? options.sequences : undefined,
      tokens: this.sequenceTokens * (model.unifiedCache ? 1 : options.sequences),
      checkpointBytes: options.checkpointBytes,
    })
    this.logits = new Logits(library, handle, model.vocabulary.size)
    const { sequences } = options
    const onThreads = (threads: number, most: number) => options.onThreads(threads, most)
    const stop = openStopFlag(model.rewind === 'free')
    this.#decoder = new Decoder(library, handle, { batchTokens, sequences, governor, stop, onThreads })
    this.#prefill = new Prefill({
      ...{ decoder: this.#decoder, slots: this.slots, rewind: model.rewind },
      speakers: () => this.speakers,
      inTurn: (work) => this.inTurn(work),
      settle: (slots, code) => this.#settle(slots, code),
    })
  }

  static async create(library: Library, model: Model, options: ContextOptions): Promise<Context> {
    const { call } = library
    const governor = new ThreadGovernor(options.threads)
    const sequences = options.sequences + (hasSpare(model) ? 1 : 0)
    const handle = await later(call.contextNew, model.handle, {
      ...call.contextDefaults(),
      // A cache that is not shared is divided among the sequences.
      n_ctx: model.unifiedCache ? options.contextTokens : options.contextTokens * options.sequences,
      n_batch: batchTokens,
      n_ubatch: library.hasGpu ? computeTokens.gpu : computeTokens.cpu,
      n_seq_max: sequences,
      n_rs_seq: model.rewind === 'checkpoint' ? options.rollbackTokens : 0,
      n_outputs_max: Math.max(outputs, sequences),
      n_outputs_max_per_seq: outputs,
      n_threads: governor.most,
      n_threads_batch: governor.most,
      type_k: kvTypes[options.kvType],
      type_v: kvTypes[options.kvType],
      swa_full: false,
      kv_unified: model.unifiedCache,
    })
    if (handle === null)
      throw new EngineError('memory', `a context of ${options.contextTokens} tokens could not be made`)
    if (model.adapter) {
      const code = call.adaptersSet(
        handle,
        BigUint64Array.of(model.adapter.handle),
        1,
        Float32Array.of(model.adapter.scale),
      )
      if (code !== 0) throw new EngineError('not-gguf', 'the adapter does not fit this model')
    }
    return new Context(library, model, handle, options, governor)
  }

  length(slot: number): number {
    return this.slots.length(slot)
  }

  /** Tokens that a step may try after its first one: they must have logits, and what is wrong must come off again. */
  get mostDrafted(): number {
    const sharing = Math.floor(this.#outputs / Math.max(1, this.speakers)) - 1
    return Math.max(0, Math.min(outputs - 1, sharing, this.model.rewind === 'free' ? outputs : this.#rollbackTokens))
  }

  /**
   * Evaluates tokens at the end of a sequence, batch by batch. Rejects with EngineError; what was evaluated before
   * stays, and `length` tells how much.
   */
  async prefill(slot: number, tokens: Int32Array, options: PrefillOptions): Promise<void> {
    this.#checkTokens(tokens)
    this.#checkRoom(slot, tokens.length)
    await this.#prefill.take(slot, tokens, options)
  }

  /**
   * Evaluates a few tokens, with logits for each, in one batch with the steps of others. Of the tokens as many stay as
   * `take` says (at least one).
   */
  step(slot: number, tokens: readonly number[], signal: AbortSignal, take: Step['take']): Promise<void> {
    this.#checkRoom(slot, tokens.length)
    return this.#steps.take({ slot, tokens, signal, take })
  }

  /** Evaluates one token, without its logits, as a step of one token does. */
  evaluateAgain(slot: number, token: number, signal: AbortSignal): Promise<void> {
    return this.inTurn(async () => {
      const fill = (batch: Batch) => batch.add(token, this.length(slot), slot, false)
      await this.evaluateStep([slot], fill, this.model.rewind === 'free' ? signal : undefined)
      this.slots.grown(slot, Int32Array.of(token))
    })
  }

  /** Drops tokens from `length` on and gives what is there afterwards; see the protocol. */
  rewind(slot: number, length: number): Promise<number> {
    return this.inTurn(async () => {
      if (!(Number.isInteger(length) && length >= 0)) throw new EngineError('misuse', `cannot rewind to ${length}`)
      await this.slots.cut(slot, length)
      return this.length(slot)
    })
  }

  /** Runs one thing at a time on the native context. Not to be called from within such a thing. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined /* told to its own caller */)
    return result
  }

  /** Evaluates the few tokens of a step, in turn. */
  async evaluateStep(slots: readonly number[], fill: (batch: Batch) => void, signal?: AbortSignal): Promise<void> {
    let code = await this.#decoder.step(fill, signal)
    // Somebody else's operation was meant.
    while (code === stopped && !signal?.aborted) {
      for (const slot of slots) await this.slots.clean(slot)
      code = await this.#decoder.step(fill, signal)
    }
    await this.#settle(slots, code)
  }

  /** Goes on where the library's code is 0; else throws, with what is left of the batch taken off the cache. */
  async #settle(slots: readonly number[], code: number): Promise<void> {
    if (code === 0) return
    for (const slot of slots) await this.slots.clean(slot)
    if (code === stopped) throw new EngineError('aborted', 'stopped')
    if (code === 1)
      throw new EngineError('context-full', `the context is full: ${this.sequenceTokens} tokens in all. Use --context`)
    throw new EngineError('misuse', `the library could not evaluate a batch (code ${code})`)
  }

  #checkTokens(tokens: Int32Array): void {
    for (const token of tokens)
      if (!this.model.vocabulary.has(token)) throw new EngineError('misuse', `${token} is not a token of this model`)
  }

  #checkRoom(slot: number, more: number): void {
    const length = this.length(slot)
    if (length + more > this.sequenceTokens)
      throw new EngineError(
        'context-full',
        `${length + more} tokens do not fit into the context of ${this.sequenceTokens}. Use a larger one (--context) or a shorter text`,
      )
  }
}
