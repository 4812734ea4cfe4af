/**
 * A sequence on the client's side. It keeps the ledger: every token that is in the cache, or would be. The host may
 * hold fewer (it died, or its memory could not be cut where we wanted); what is missing is evaluated again, unseen, with
 * the next use.
 */
import { EngineError, type GeneratedToken, type GenerateOptions, type Sequence } from '../engine.ts'
import { HostFailure } from './failure.ts'
import type { HostProcess } from './host-process.ts'
import { streamTokens, type TokenStream } from './token-stream.ts'

/** What a sequence needs of its engine. */
export interface SequenceHome {
  host(signal?: AbortSignal): Promise<HostProcess>
  takeSlot(): number
  releaseSlot(slot: number): void
}

export class EmbeddedSequence implements Sequence {
  readonly #home: SequenceHome
  readonly #slot: number
  #ledger: number[]
  /** The host that holds our tokens, and how many of the ledger it holds. */
  #host: HostProcess | undefined
  #resident = 0
  #busy = false
  #closed = false
  /** Aborted by `close`. */
  readonly #stop = new AbortController()

  constructor(home: SequenceHome, slot: number, ledger: number[], host?: HostProcess, resident = 0) {
    this.#home = home
    this.#slot = slot
    this.#ledger = ledger
    this.#host = host
    this.#resident = resident
  }

  get length(): number {
    return this.#ledger.length
  }

  get evaluated(): number {
    return this.#host?.alive ? Math.min(this.#resident, this.#ledger.length) : 0
  }

  prefill(tokens: readonly number[], options: Parameters<Sequence['prefill']>[1]): Promise<void> {
    return this.#exclusively(async () => {
      const host = await this.#restored(options.signal)
      await this.#evaluate(host, tokens, options)
    })
  }

  async *generate(last: number, options: GenerateOptions): AsyncGenerator<GeneratedToken, void, void> {
    this.#enter()
    const { signal, sampling, maxTokens, logprobs = false, hints } = options
    const yielded: number[] = []
    const start = this.#ledger.length
    let host: HostProcess | undefined
    let stream: TokenStream | undefined
    const stop = new AbortController()
    try {
      host = await this.#restored(signal)
      stream = streamTokens(
        host,
        {
          ...{ op: 'generate', slot: this.#slot, length: start, last, sampling, maxTokens, logprobs },
          stopTokens: options.stopTokens ?? [],
          grammar: options.grammar,
          hints: hints && Int32Array.from(hints),
          speculate: options.speculate ?? true,
        },
        AbortSignal.any([signal, stop.signal, this.#stop.signal]),
      )
      for await (const token of stream.tokens) {
        yielded.push(token.token)
        yield token
      }
    } finally {
      stop.abort()
      const left = await stream?.settled
      if (left) options.onEnd?.(left.counts)
      const resident = stream === undefined ? start : left?.length
      // What the consumer has seen counts, but for the last of it; the host may have gone on a little.
      if (yielded.length > 0) {
        this.#ledger.push(last)
        for (const token of yielded.slice(0, -1)) this.#ledger.push(token)
      }
      if (resident === this.#ledger.length) this.#resident = resident
      else if (host) await this.#align(host)
      await this.#leave()
    }
  }

  score(tokens: readonly number[], { most, signal }: Parameters<Sequence['score']>[1]): ReturnType<Sequence['score']> {
    return this.#exclusively(async () => {
      const host = await this.#restored(signal)
      const length = this.#ledger.length
      try {
        const { alternatives, bytes, logprobs } = await host.request(
          { op: 'score', slot: this.#slot, length, tokens: Int32Array.from(tokens), most },
          {},
          AbortSignal.any([signal, this.#stop.signal]),
        )
        this.#ledger.push(...tokens.slice(0, -1))
        this.#resident = this.#ledger.length
        return { alternatives, bytes, logprobs }
      } catch (error) {
        await this.#align(host)
        throw error
      }
    })
  }

  checkpoint(): Promise<void> {
    return this.#exclusively(async () => {
      const host = await this.#restored()
      await host.request({ op: 'checkpoint', slot: this.#slot })
    })
  }

  rewind(length: number): Promise<void> {
    return this.#exclusively(async () => {
      if (!Number.isInteger(length) || length < 0 || length > this.#ledger.length)
        throw new EngineError('misuse', `cannot rewind to ${length} of ${this.#ledger.length} tokens`)
      this.#ledger.length = length
      // Of a dead host nothing is left to drop.
      if (this.#host?.alive) await this.#align(this.#host)
    })
  }

  fork(): Promise<Sequence> {
    return this.#exclusively(async () => {
      const host = await this.#restored()
      const slot = this.#home.takeSlot()
      try {
        const { length } = await host.request({ op: 'fork', from: this.#slot, to: slot })
        return new EmbeddedSequence(this.#home, slot, [...this.#ledger], host, length)
      } catch (error) {
        this.#home.releaseSlot(slot)
        throw error
      }
    })
  }

  save(file: string): Promise<void> {
    return this.#exclusively(async () => {
      const host = await this.#restored()
      await host.request({ op: 'save', slot: this.#slot, file, tokens: Int32Array.from(this.#ledger) })
    })
  }

  load(file: string): Promise<readonly number[]> {
    return this.#exclusively(async () => {
      const host = await this.#home.host()
      this.#host = host
      try {
        const { tokens } = await host.request({ op: 'load', slot: this.#slot, file })
        this.#ledger = Array.from(tokens)
        this.#resident = tokens.length
        return [...this.#ledger]
      } catch (error) {
        this.#resident = error instanceof HostFailure ? Math.min(error.length ?? 0, this.#ledger.length) : 0
        throw error
      }
    })
  }

  /** Ends the sequence's use; what is still running on it is stopped first. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#stop.abort()
    if (!this.#busy) await this.#release()
  }

  async #release(): Promise<void> {
    this.#ledger = []
    if (this.#host) await this.#align(this.#host)
    this.#home.releaseSlot(this.#slot)
  }

  async #leave(): Promise<void> {
    this.#busy = false
    if (this.#closed) await this.#release()
  }

  #enter(): void {
    if (this.#closed) throw new EngineError('misuse', 'the sequence is closed')
    if (this.#busy) throw new EngineError('misuse', 'the sequence is busy: one thing at a time')
    this.#busy = true
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    this.#enter()
    try {
      return await work()
    } finally {
      await this.#leave()
    }
  }

  /** A host that holds the whole ledger. */
  async #restored(signal: AbortSignal = new AbortController().signal): Promise<HostProcess> {
    const host = await this.#home.host()
    if (host !== this.#host) {
      this.#host = host
      this.#resident = 0
    }
    if (this.#resident < this.#ledger.length) {
      const whole = this.#ledger
      this.#ledger = whole.slice(0, this.#resident)
      try {
        await this.#evaluate(host, whole.slice(this.#resident), { signal })
      } finally {
        // Whatever became of it, these tokens belong to the sequence; what is missing is tried again next time.
        this.#ledger = whole
      }
    }
    return host
  }

  /** Evaluates tokens at the end; the ledger then holds as many of them as were. */
  async #evaluate(
    host: HostProcess,
    tokens: readonly number[],
    { signal, onProgress, checkpoints = [] }: Parameters<Sequence['prefill']>[1],
  ): Promise<void> {
    if (tokens.length === 0) return
    const before = this.#ledger.length
    const keep = (length: number) => {
      this.#resident = length
      for (const token of tokens.slice(0, Math.max(0, length - before))) this.#ledger.push(token)
    }
    try {
      const { length } = await host.request(
        { op: 'prefill', slot: this.#slot, length: before, tokens: Int32Array.from(tokens), checkpoints },
        onProgress ? { onProgress } : {},
        AbortSignal.any([signal, this.#stop.signal]),
      )
      keep(length)
    } catch (error) {
      const length = error instanceof HostFailure ? error.length : undefined
      // Where the memory could not be cut before the batch that was stopped, less is left than there was: that still
      // belongs to the sequence, and is evaluated again with the next use.
      keep(length ?? 0)
      throw error
    }
  }

  /** Makes the host drop what is not in the ledger. A dead host has nothing to drop. */
  async #align(host: HostProcess): Promise<void> {
    try {
      const { length } = await host.request({
        op: 'rewind',
        slot: this.#slot,
        length: this.#ledger.length,
      })
      this.#resident = length
    } catch (error) {
      this.#resident = 0
      if (!(error instanceof EngineError && error.kind === 'died')) throw error
    }
  }
}
