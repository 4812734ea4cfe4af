/**
 * The ledger of a sequence: every token that is in the cache, or would be. The host may hold fewer (it died, or its
 * memory could not be cut where we wanted); what is missing is evaluated again, unseen, with the next use.
 */
import { EngineError, type Sequence } from '../engine.ts'
import { HostFailure } from './failure.ts'
import type { HostProcess } from './host-process.ts'

/** Not for concurrent use. */
export class HeldTokens {
  ledger: number[]
  readonly #home: { host(): Promise<HostProcess> }
  readonly #slot: number
  /** Ends with the sequence. */
  readonly #stop: AbortSignal
  /** The host that holds our tokens, and how many of the ledger it holds. */
  #host: HostProcess | undefined
  #resident: number

  /** @param from what there is at the beginning: tokens, the host that holds them, and how many of them */
  constructor(
    home: { host(): Promise<HostProcess> },
    slot: number,
    stop: AbortSignal,
    from?: { readonly ledger: readonly number[]; readonly host: HostProcess; readonly resident: number },
  ) {
    this.#home = home
    this.#slot = slot
    this.#stop = stop
    this.ledger = [...(from?.ledger ?? [])]
    this.#host = from?.host
    this.#resident = from?.resident ?? 0
  }

  /** How many of the ledger are in the cache. */
  get evaluated(): number {
    return this.#host?.alive ? Math.min(this.#resident, this.ledger.length) : 0
  }

  /** A host that holds the whole ledger. */
  async restored(signal: AbortSignal = this.#stop): Promise<HostProcess> {
    const host = await this.#home.host()
    if (host !== this.#host) {
      this.#host = host
      this.#resident = 0
    }
    if (this.#resident < this.ledger.length) {
      const whole = this.ledger
      this.ledger = whole.slice(0, this.#resident)
      try {
        await this.evaluate(host, whole.slice(this.#resident), { signal })
      } finally {
        // Whatever became of it, these tokens belong to the sequence; what is missing is tried again next time.
        this.ledger = whole
      }
    }
    return host
  }

  /** Evaluates tokens at the end; the ledger then holds as many of them as were. */
  async evaluate(
    host: HostProcess,
    tokens: readonly number[],
    { signal, onProgress, checkpoints = [] }: Parameters<Sequence['prefill']>[1],
  ): Promise<void> {
    if (tokens.length === 0) return
    const before = this.ledger.length
    const keep = (length: number) => {
      this.#resident = length
      for (const token of tokens.slice(0, Math.max(0, length - before))) this.ledger.push(token)
    }
    try {
      const { length } = await host.request(
        { op: 'prefill', slot: this.#slot, length: before, tokens: Int32Array.from(tokens), checkpoints },
        onProgress ? { onProgress } : {},
        AbortSignal.any([signal, this.#stop]),
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

  /** Tells that the host holds so many tokens now; where that is not the ledger, makes it drop what is not in it. */
  async told(host: HostProcess, resident: number | undefined): Promise<void> {
    if (resident === this.ledger.length) this.#resident = resident
    else await this.align(host)
  }

  /** Makes the host drop what is not in the ledger; of a dead host, and where there is none, nothing is left to drop. */
  async align(host = this.#host): Promise<void> {
    if (host === undefined) return
    try {
      const { length } = await host.request({ op: 'rewind', slot: this.#slot, length: this.ledger.length })
      this.#resident = length
    } catch (error) {
      this.#resident = 0
      if (!(error instanceof EngineError && error.kind === 'died')) throw error
    }
  }

  /** Puts what a saved state holds in the place of everything. */
  async load(file: string): Promise<void> {
    const host = await this.#home.host()
    this.#host = host
    try {
      const { tokens } = await host.request({ op: 'load', slot: this.#slot, file })
      this.ledger = Array.from(tokens)
      this.#resident = tokens.length
    } catch (error) {
      this.#resident = error instanceof HostFailure ? Math.min(error.length ?? 0, this.ledger.length) : 0
      throw error
    }
  }
}
