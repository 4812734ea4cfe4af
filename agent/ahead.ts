/** Work that may turn out to be for nothing, and ends before anything else happens: reading what may come next. */
export class Ahead {
  #current: { readonly stop: AbortController; readonly done: Promise<unknown> } | undefined

  /** Ends what goes on and begins `work`. Settles with it and never rejects: what it cannot do is done when it is needed. */
  async begin(work: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    const before = this.end()
    const stop = new AbortController()
    const done = before.then(() => work(stop.signal)).catch(() => undefined)
    this.#current = { stop, done }
    await done
  }

  /** Settles when nothing goes on any more. */
  async end(): Promise<void> {
    const current = this.#current
    this.#current = undefined
    current?.stop.abort()
    await current?.done
  }
}
