/**
 * The KV cache and its sequences: evaluate, rewind, fork. Everything that would end the process inside the library is
 * checked here before the call. One decode at a time; callers take turns.
 */
import koffi from 'koffi'
import { EngineError } from '../engine.ts'
import { Batch } from './batch.ts'
import { later } from './functions.ts'
import type { Pointer } from './layout.ts'
import type { Library } from './library.ts'
import type { Model } from './model.ts'
import { Logits } from './sampler.ts'
import { ThreadGovernor } from './threads.ts'

/** Tokens in one decode call at most. */
const batchTokens = 512
/** Tokens the library computes at once: on a CPU more is not faster (measured), and its buffers grow with it. */
const computeTokens = { cpu: 128, gpu: batchTokens }
/** Positions of one batch whose logits can be had. Unlimited, the buffer is batch × vocabulary: 300 MB instead of 70. */
const outputs = 16
/** A prefill batch lasts about this long (ms): progress is told, and at most this much is lost by an abort. */
const chunkMs = 500
const smallestChunk = 64

export interface ContextOptions {
  readonly contextTokens: number
  readonly sequences: number
  readonly threads: number | undefined
  onThreads(threads: number, most: number): void
}

export class Context {
  readonly logits: Logits
  /** Tokens that one sequence can hold. */
  readonly sequenceTokens: number
  readonly handle: Pointer
  readonly library: Library
  readonly model: Model
  readonly #memory: Pointer
  readonly #batch: Batch
  readonly #governor: ThreadGovernor
  readonly #onThreads: ContextOptions['onThreads']
  readonly #lengths: Int32Array
  /** First byte non-zero: the running batch stops. Read by the library through strlen. */
  readonly #flag = new Uint8Array(8)
  #threads: number
  #turn: Promise<unknown> = Promise.resolve()
  /** Milliseconds a token costs in a prefill batch, as last seen. */
  #tokenMs = 4

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
    this.#governor = governor
    this.#threads = governor.most
    this.#onThreads = options.onThreads
    this.#memory = call.memory(handle)
    this.#batch = new Batch(batchTokens, options.sequences)
    this.#lengths = new Int32Array(options.sequences)
    this.sequenceTokens = call.contextSequenceTokens(handle)
    this.logits = new Logits(library, handle, model.vocabulary.size)
    const pool = library.newThreadpool(governor.most)
    call.attachThreadpool(handle, pool, pool)
    call.setAbortCallback(handle, library.strlen, koffi.address(this.#flag))
  }

  static async create(library: Library, model: Model, options: ContextOptions): Promise<Context> {
    const { call } = library
    const governor = new ThreadGovernor(options.threads)
    const handle = await later(call.contextNew, model.handle, {
      ...call.contextDefaults(),
      // A cache that is not shared is divided among the sequences.
      n_ctx: model.unifiedCache ? options.contextTokens : options.contextTokens * options.sequences,
      n_batch: batchTokens,
      n_ubatch: library.hasGpu ? computeTokens.gpu : computeTokens.cpu,
      n_seq_max: options.sequences,
      n_outputs_max: Math.max(outputs, options.sequences),
      n_outputs_max_per_seq: outputs,
      n_threads: governor.most,
      n_threads_batch: governor.most,
      swa_full: false,
      kv_unified: model.unifiedCache,
    })
    if (handle === null)
      throw new EngineError('memory', `a context of ${options.contextTokens} tokens could not be made`)
    return new Context(library, model, handle, options, governor)
  }

  length(slot: number): number {
    const length = this.#lengths[slot]
    if (length === undefined) throw new EngineError('misuse', `there is no sequence ${slot}`)
    return length
  }

  /**
   * Evaluates tokens at the end of a sequence, batch by batch. Rejects with EngineError; what was evaluated before
   * stays, and `length` tells how much.
   */
  async prefill(
    slot: number,
    tokens: Int32Array,
    signal: AbortSignal,
    onProgress: (done: number) => void,
  ): Promise<void> {
    this.#checkTokens(tokens)
    this.#checkRoom(slot, tokens.length)
    let done = 0
    while (done < tokens.length) {
      const fits = Math.round(chunkMs / this.#tokenMs / 32) * 32
      const size = Math.min(tokens.length - done, batchTokens, Math.max(smallestChunk, fits))
      const from = done
      const began = performance.now()
      await this.inTurn(async () => {
        const at = this.length(slot)
        this.#batch.clear()
        for (let i = 0; i < size; i++) this.#batch.add(tokens[from + i] ?? 0, at + i, slot, false)
        await this.#decode(slot, size, signal)
      })
      // The first batches of small size say little.
      if (size >= smallestChunk) this.#tokenMs = (performance.now() - began) / size
      done += size
      onProgress(done)
    }
  }

  /** Evaluates one token and picks from its logits. */
  step(slot: number, token: number, signal: AbortSignal, pick: (logits: Logits) => number): Promise<number> {
    this.#checkRoom(slot, 1)
    return this.inTurn(async () => {
      this.#batch.clear()
      this.#batch.add(token, this.length(slot), slot, true)
      await this.#decode(slot, 1, signal)
      return pick(this.logits)
    })
  }

  /**
   * Drops tokens from `length` on and gives what is there afterwards. Where the model's memory cannot go back to that
   * place: refused, or everything dropped.
   */
  rewind(slot: number, length: number, orClear: boolean): Promise<number> {
    return this.inTurn(async () => {
      const now = this.length(slot)
      if (!(Number.isInteger(length) && length >= 0)) throw new EngineError('misuse', `cannot rewind to ${length}`)
      if (length >= now) return now
      if (orClear) this.#cutOrClear(slot, length)
      else if (!this.#cut(slot, length))
        throw new EngineError('misuse', `this model cannot go back to ${length} of ${now} tokens, only to none`)
      return this.length(slot)
    })
  }

  /** Makes `to` hold what `from` holds. The shared cache is not copied. */
  fork(from: number, to: number): Promise<number> {
    return this.inTurn(async () => {
      const length = this.length(from)
      this.length(to)
      if (from === to) throw new EngineError('misuse', 'a sequence cannot be forked onto itself')
      this.#cutOrClear(to, 0)
      this.library.call.memoryCopy(this.#memory, from, to, -1, -1)
      this.#lengths[to] = length
      return length
    })
  }

  /** Replaces a sequence by what `restore` puts there; empty when that fails. Gives the number of tokens. */
  replace(slot: number, tokens: number, restore: () => Promise<void>): Promise<void> {
    return this.inTurn(async () => {
      this.length(slot)
      this.#cutOrClear(slot, 0)
      try {
        await restore()
        const found = this.library.call.memoryLast(this.#memory, slot) + 1
        if (found !== tokens) throw new EngineError('bad-state', `the state holds ${found} tokens and not ${tokens}`)
        this.#lengths[slot] = tokens
      } catch (error) {
        this.#cutOrClear(slot, 0)
        throw error
      }
    })
  }

  /** Runs one thing at a time on the native context. Not to be called from within such a thing. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined /* told to its own caller */)
    return result
  }

  #cutOrClear(slot: number, length: number): void {
    if (!this.#cut(slot, length)) this.#cut(slot, 0)
  }

  /** Removes from `length` on. False, and nothing removed, where the model's memory cannot be cut there. */
  #cut(slot: number, length: number): boolean {
    const { call } = this.library
    const done =
      length === 0
        ? call.memoryRemove(this.#memory, slot, -1, -1)
        : this.#canCut(slot, length) && call.memoryRemove(this.#memory, slot, length, -1)
    if (done) this.#lengths[slot] = length
    return done
  }

  /** A cache that keeps only a window must still hold the window before the cut. */
  #canCut(slot: number, length: number): boolean {
    const { call } = this.library
    const window = call.modelWindow(this.model.handle)
    return window === 0 || call.memoryFirst(this.#memory, slot) <= Math.max(0, length - window)
  }

  async #decode(slot: number, size: number, signal: AbortSignal): Promise<void> {
    const { call } = this.library
    const before = this.length(slot)
    if (signal.aborted) throw new EngineError('aborted', 'stopped')
    this.#adaptThreads()
    this.#flag[0] = 0
    const stop = () => {
      this.#flag[0] = 1
    }
    signal.addEventListener('abort', stop, { once: true })
    let code: number
    try {
      code = await later(call.decode, this.handle, this.#batch.struct)
      if (this.library.hasGpu) await later(call.synchronize, this.handle)
    } finally {
      signal.removeEventListener('abort', stop)
    }
    if (code === 0) {
      this.#lengths[slot] = before + size
      return
    }
    this.#clean(slot, before)
    if (code === 2) throw new EngineError('aborted', 'stopped')
    if (code === 1) throw new EngineError('context-full', `the context is full after ${before} tokens`)
    throw new EngineError('misuse', `the library could not evaluate a batch of ${size} tokens (code ${code})`)
  }

  /** After a failed batch some of it may be in the cache. */
  #clean(slot: number, length: number): void {
    if (this.library.call.memoryLast(this.#memory, slot) >= length) this.#cutOrClear(slot, length)
  }

  #adaptThreads(): void {
    const threads = this.#governor.threads()
    if (threads === this.#threads) return
    this.#threads = threads
    this.library.call.setThreads(this.handle, threads, threads)
    this.#onThreads(threads, this.#governor.most)
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
