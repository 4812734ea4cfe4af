/** A sequence on the client's side: one thing at a time, and what each of them leaves in the ledger (held-tokens.ts). */
import { EngineError, type GeneratedToken, type GenerateOptions, type Sequence } from '../engine.ts'
import { HeldTokens } from './held-tokens.ts'
import type { HostProcess } from './host-process.ts'
import { streamTokens, type TokenStream } from './token-stream.ts'

/** What a sequence needs of its engine. */
export interface SequenceHome {
  host(): Promise<HostProcess>
  takeSlot(): number
  releaseSlot(slot: number): void
}

export class EmbeddedSequence implements Sequence {
  readonly #home: SequenceHome
  readonly #slot: number
  readonly #tokens: HeldTokens
  #busy = false
  #closed = false
  /** Aborted by `close`. */
  readonly #stop = new AbortController()

  /** @param from what it begins with: tokens, the host that holds them, and how many of them */
  constructor(home: SequenceHome, slot: number, from?: ConstructorParameters<typeof HeldTokens>[3]) {
    this.#home = home
    this.#slot = slot
    this.#tokens = new HeldTokens(home, slot, this.#stop.signal, from)
  }

  get length(): number {
    return this.#tokens.ledger.length
  }

  get evaluated(): number {
    return this.#tokens.evaluated
  }

  prefill(tokens: readonly number[], options: Parameters<Sequence['prefill']>[1]): Promise<void> {
    return this.#exclusively(async () => {
      const host = await this.#tokens.restored(options.signal)
      await this.#tokens.evaluate(host, tokens, options)
    })
  }

  async *generate(last: number, options: GenerateOptions): AsyncGenerator<GeneratedToken, void, void> {
    this.#enter()
    const { signal, sampling, maxTokens, logprobs = false, hints } = options
    const yielded: number[] = []
    const start = this.length
    let host: HostProcess | undefined
    let stream: TokenStream | undefined
    const stop = new AbortController()
    try {
      host = await this.#tokens.restored(signal)
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
        this.#tokens.ledger.push(last)
        for (const token of yielded.slice(0, -1)) this.#tokens.ledger.push(token)
      }
      if (host) await this.#tokens.told(host, resident)
      await this.#leave()
    }
  }

  score(tokens: readonly number[], { most, signal }: Parameters<Sequence['score']>[1]): ReturnType<Sequence['score']> {
    return this.#exclusively(async () => {
      const host = await this.#tokens.restored(signal)
      const { length } = this
      try {
        const { alternatives, bytes, logprobs } = await host.request(
          { op: 'score', slot: this.#slot, length, tokens: Int32Array.from(tokens), most },
          {},
          AbortSignal.any([signal, this.#stop.signal]),
        )
        for (const token of tokens.slice(0, -1)) this.#tokens.ledger.push(token)
        await this.#tokens.told(host, this.length)
        return { alternatives, bytes, logprobs }
      } catch (error) {
        await this.#tokens.align(host)
        throw error
      }
    })
  }

  checkpoint(): Promise<void> {
    return this.#exclusively(async () => {
      const host = await this.#tokens.restored()
      await host.request({ op: 'checkpoint', slot: this.#slot })
    })
  }

  rewind(length: number): Promise<void> {
    return this.#exclusively(async () => {
      if (!Number.isInteger(length) || length < 0 || length > this.length)
        throw new EngineError('misuse', `cannot rewind to ${length} of ${this.length} tokens`)
      this.#tokens.ledger.length = length
      await this.#tokens.align()
    })
  }

  fork(): Promise<Sequence> {
    return this.#exclusively(async () => {
      const host = await this.#tokens.restored()
      const slot = this.#home.takeSlot()
      try {
        const { length } = await host.request({ op: 'fork', from: this.#slot, to: slot })
        return new EmbeddedSequence(this.#home, slot, { ledger: this.#tokens.ledger, host, resident: length })
      } catch (error) {
        this.#home.releaseSlot(slot)
        throw error
      }
    })
  }

  save(file: string): Promise<void> {
    return this.#exclusively(async () => {
      const host = await this.#tokens.restored()
      await host.request({ op: 'save', slot: this.#slot, file, tokens: Int32Array.from(this.#tokens.ledger) })
    })
  }

  load(file: string): Promise<readonly number[]> {
    return this.#exclusively(async () => {
      await this.#tokens.load(file)
      return [...this.#tokens.ledger]
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
    this.#tokens.ledger = []
    await this.#tokens.align()
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
}
