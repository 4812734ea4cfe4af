/** Hands batches to the library, one at a time, on as many threads as are free, and stops one when asked. */
import { setTimeout as sleep } from 'node:timers/promises'
import { EngineError } from '../engine.ts'
import { Batch } from './batch.ts'
import { later } from './functions.ts'
import type { Pointer } from './layout.ts'
import type { Library } from './library.ts'
import type { StopFlag } from './stop-flag.ts'
import type { ThreadGovernor } from './threads.ts'

/**
 * Steps up to this long (ms) are evaluated on this process's main thread, which hears nothing meanwhile. On a worker each
 * token is handed from one core to another and back, and each core sleeps half of the time: decode was 12 to 18 % slower
 * with steps of 30 ms (1.5B), and 10 % with steps of 150 ms (a mixture of experts, one thread; two cores).
 */
const briefMs = 1000
/** The same where only this thread could stop the step: an abort waits for it. */
const briefUnheardMs = 100

/** How often (ms) it is looked, within a long batch, whether its cores are still free. */
const watchMs = 100
/** The library's code for a batch that was stopped. */
export const stopped = 2

export interface DecoderOptions {
  /** Tokens in one batch at most. */
  readonly batchTokens: number
  readonly sequences: number
  readonly governor: ThreadGovernor
  readonly stop: StopFlag
  onThreads(threads: number, most: number): void
}

export class Decoder {
  readonly #library: Library
  readonly #handle: Pointer
  readonly #options: DecoderOptions
  readonly #batch: Batch
  #threads: number
  /** What the last step took (ms); the first one is evaluated on a worker. */
  #stepMs = Number.POSITIVE_INFINITY
  /** Until when (ms of the clock) the cores are left to others. */
  #restsUntil = 0

  /** @param handle the native context; its thread pool and abort callback are set here */
  constructor(library: Library, handle: Pointer, options: DecoderOptions) {
    this.#library = library
    this.#handle = handle
    this.#options = options
    this.#batch = new Batch(options.batchTokens, options.sequences)
    this.#threads = options.governor.most
    const { call } = library
    const pool = library.newThreadpool(options.governor.most)
    call.attachThreadpool(handle, pool, pool)
    call.setAbortCallback(handle, library.strlen, options.stop.address)
  }

  /** Whether others have some of our cores. */
  get givesWay(): boolean {
    return this.#options.governor.threads() < this.#options.governor.most
  }

  /**
   * Evaluates a long batch on a worker thread; `signal` stops it inside. Gives the library's code; or `crowded` where
   * somebody else took a core within the first `patience` (ms): the batch is stopped then, as it is sooner at its end when
   * it begins again with a thread less (1.5B, two cores, a busy neighbour: two threads read 20 tokens a second, one reads 40).
   * `stopped` also where the client stopped another operation.
   */
  async batch(fill: (batch: Batch) => void, signal: AbortSignal, patience: number): Promise<number | 'crowded'> {
    await this.#rest(signal)
    if (signal.aborted) throw new EngineError('aborted', 'stopped')
    this.#prepare(fill)
    const began = performance.now()
    let crowded = false
    // Asked also where it is too late for this batch, so that the next one knows.
    const watch = setInterval(() => {
      if (
        this.#library.hasGpu ||
        this.#options.governor.threads() >= this.#threads ||
        performance.now() - began > patience
      )
        return
      crowded = true
      this.#options.stop.raise()
    }, watchMs)
    try {
      const code = await this.#heard(await this.#onWorker(signal))
      return crowded && code === stopped && !signal.aborted ? 'crowded' : code
    } finally {
      clearInterval(watch)
      this.#worked(performance.now() - began)
    }
  }

  /** Evaluates the few tokens of a step. Gives the library's code; `stopped` also where the client stopped another operation. */
  async step(fill: (batch: Batch) => void, signal: AbortSignal | undefined): Promise<number> {
    await this.#rest(signal)
    this.#prepare(fill)
    const began = performance.now()
    const most = signal && !this.#options.stop.isShared ? briefUnheardMs : briefMs
    const code = this.#stepMs > most ? await this.#onWorker(signal) : await this.#here()
    // What was stopped says nothing of the next one.
    if (code !== stopped) this.#stepMs = performance.now() - began
    this.#worked(performance.now() - began)
    return this.#heard(code)
  }

  /** Gives the code when the message that goes with a raised flag was read: the flag is quicker. */
  async #heard(code: number): Promise<number> {
    for (let turn = 0; turn < 2 && code === stopped; turn++) await new Promise((next) => setImmediate(next))
    return code
  }

  #worked(ms: number): void {
    this.#restsUntil = this.#library.hasGpu ? 0 : performance.now() + this.#options.governor.rest(ms)
  }

  /** Until the rest is over, or the signal comes. */
  async #rest(signal: AbortSignal | undefined): Promise<void> {
    const ms = this.#restsUntil - performance.now()
    if (ms < 1) return
    await sleep(ms, undefined, { signal }).catch(() => {
      // Whoever stopped it is told by the batch.
    })
  }

  #prepare(fill: (batch: Batch) => void): void {
    this.#adaptThreads()
    this.#options.stop.lower()
    this.#batch.clear()
    fill(this.#batch)
  }

  async #onWorker(signal: AbortSignal | undefined): Promise<number> {
    const { call, hasGpu } = this.#library
    const stop = () => this.#options.stop.raise()
    signal?.addEventListener('abort', stop, { once: true })
    try {
      const code = await later(call.decode, this.#handle, this.#batch.struct)
      if (hasGpu) await later(call.synchronize, this.#handle)
      return code
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  async #here(): Promise<number> {
    const { call, hasGpu } = this.#library
    const code = call.decode(this.#handle, this.#batch.struct)
    if (hasGpu) call.synchronize(this.#handle)
    // Messages, an abort among them, are read between the steps.
    await new Promise((next) => setImmediate(next))
    return code
  }

  #adaptThreads(): void {
    const { governor, onThreads } = this.#options
    const threads = governor.threads()
    if (threads === this.#threads) return
    this.#threads = threads
    this.#library.call.setThreads(this.#handle, threads, threads)
    onThreads(threads, governor.most)
  }
}
