/**
 * A sequence on the client's side. It keeps the ledger: every token that is in the cache, or would be. The host may
 * hold fewer (it died, or its memory could not be cut where we wanted); what is missing is evaluated again, unseen, with
 * the next use.
 */
import { EngineError, type GeneratedToken, type GenerateOptions, type Sequence } from '../engine.ts'
import type { TokensEvent } from '../host/protocol.ts'
import { HostFailure } from './failure.ts'
import type { HostProcess } from './host-process.ts'

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

  prefill(
    tokens: readonly number[],
    { signal, onProgress }: { readonly signal: AbortSignal; readonly onProgress?: (done: number) => void },
  ): Promise<void> {
    return this.#exclusively(async () => {
      const host = await this.#restored(signal)
      await this.#evaluate(host, tokens, signal, onProgress)
    })
  }

  async *generate(last: number, options: GenerateOptions): AsyncGenerator<GeneratedToken, void, void> {
    this.#enter()
    const { signal, sampling, maxTokens, logprobs = false } = options
    const yielded: number[] = []
    const start = this.#ledger.length
    let host: HostProcess | undefined
    /** Settles with the tokens in the host, undefined after a failure. */
    let answered: Promise<number | undefined> = Promise.resolve(start)
    const stop = new AbortController()
    try {
      host = await this.#restored(signal)
      const events: TokensEvent[] = []
      let wake: () => void = () => undefined
      let finished = false
      const answer = host.request(
        { op: 'generate', slot: this.#slot, length: start, last, sampling, maxTokens, logprobs },
        {
          onTokens: (event) => {
            events.push(event)
            wake()
          },
        },
        AbortSignal.any([signal, stop.signal]),
      )
      const settled = (length: number | undefined) => {
        finished = true
        wake()
        return length
      }
      answered = answer.then(
        ({ length }) => settled(length),
        () => settled(undefined),
      )
      while (true) {
        const event = events.shift()
        if (event) {
          for (const [i, token] of event.tokens.entries()) {
            yielded.push(token)
            const end = event.end && i === event.tokens.length - 1
            yield { token, text: event.texts[i] ?? '', end, ...(logprobs && { logprob: event.logprobs[i] ?? 0 }) }
          }
        } else if (finished) break
        else
          await new Promise<void>((resolve) => {
            wake = resolve
          })
      }
      const { reason } = await answer
      if (reason === 'aborted') throw new EngineError('aborted', 'stopped')
    } finally {
      stop.abort()
      const resident = await answered
      // What the consumer has seen counts, but for the last of it; the host may have gone on a little.
      if (yielded.length > 0) {
        this.#ledger.push(last)
        for (const token of yielded.slice(0, -1)) this.#ledger.push(token)
      }
      this.#busy = false
      if (resident === this.#ledger.length) this.#resident = resident
      else if (host) await this.#align(host)
    }
  }

  rewind(length: number): Promise<void> {
    return this.#exclusively(async () => {
      if (!Number.isInteger(length) || length < 0 || length > this.#ledger.length)
        throw new EngineError('misuse', `cannot rewind to ${length} of ${this.#ledger.length} tokens`)
      this.#ledger.length = length
      if (this.#host) await this.#align(this.#host)
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

  load(file: string): Promise<void> {
    return this.#exclusively(async () => {
      const host = await this.#home.host()
      this.#host = host
      try {
        const { tokens } = await host.request({ op: 'load', slot: this.#slot, file })
        this.#ledger = Array.from(tokens)
        this.#resident = tokens.length
      } catch (error) {
        this.#resident = error instanceof HostFailure ? Math.min(error.length ?? 0, this.#ledger.length) : 0
        throw error
      }
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    await this.rewind(0)
    this.#closed = true
    this.#home.releaseSlot(this.#slot)
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
      this.#busy = false
    }
  }

  /** A host that holds the whole ledger. */
  async #restored(signal: AbortSignal = new AbortController().signal): Promise<HostProcess> {
    const host = await this.#home.host()
    if (host !== this.#host) {
      this.#host = host
      this.#resident = 0
    }
    const held = this.#resident
    const missing = this.#ledger.slice(held)
    if (missing.length > 0) {
      this.#ledger.length = held
      try {
        await this.#evaluate(host, missing, signal)
      } finally {
        // Whatever became of it, these tokens belong to the sequence; the rest is tried again next time.
        for (const token of missing.slice(this.#ledger.length - held)) this.#ledger.push(token)
      }
    }
    return host
  }

  /** Evaluates tokens at the end; the ledger then holds as many of them as were. */
  async #evaluate(
    host: HostProcess,
    tokens: readonly number[],
    signal: AbortSignal,
    onProgress?: (done: number) => void,
  ): Promise<void> {
    if (tokens.length === 0) return
    const before = this.#ledger.length
    const keep = (length: number) => {
      this.#resident = Math.min(length, before + tokens.length)
      for (const token of tokens.slice(0, Math.max(0, length - before))) this.#ledger.push(token)
    }
    try {
      const { length } = await host.request(
        { op: 'prefill', slot: this.#slot, length: before, tokens: Int32Array.from(tokens) },
        onProgress ? { onProgress } : {},
        signal,
      )
      keep(length)
    } catch (error) {
      keep(error instanceof HostFailure ? (error.length ?? 0) : 0)
      throw error
    }
  }

  /** Makes the host drop what is not in the ledger. A dead host has nothing to drop. */
  async #align(host: HostProcess): Promise<void> {
    try {
      const { length } = await host.request({ op: 'rewind', slot: this.#slot, length: this.#ledger.length })
      this.#resident = length
    } catch (error) {
      this.#resident = 0
      if (!(error instanceof EngineError && error.kind === 'died')) throw error
    }
  }
}
