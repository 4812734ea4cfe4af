/** Speed and time left of a download, over its last seconds. */

const windowMs = 5_000

/** One measurement of a growing number of bytes. */
export class Meter {
  readonly #samples: { at: number; bytes: number }[] = []

  /** Adds what is here now and gives the mean speed of the window. `secondsLeft` is undefined while unknown. */
  measure(
    bytes: number,
    total: number | undefined,
    now: number = performance.now(),
  ): { bytesPerSecond: number; secondsLeft: number | undefined } {
    this.#samples.push({ at: now, bytes })
    while (this.#samples.length > 2 && (this.#samples[0]?.at ?? now) < now - windowMs) this.#samples.shift()
    const first = this.#samples[0] ?? { at: now, bytes }
    const seconds = (now - first.at) / 1000
    const bytesPerSecond = seconds > 0 ? Math.max(0, bytes - first.bytes) / seconds : 0
    const left = total === undefined ? undefined : Math.max(0, total - bytes)
    return {
      bytesPerSecond,
      secondsLeft: left === undefined || bytesPerSecond === 0 ? undefined : left / bytesPerSecond,
    }
  }
}
