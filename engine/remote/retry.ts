/** How often and how long a request is tried again. */

export interface RetryLimits {
  readonly count: number
  /** Seconds spent waiting, in all. */
  readonly seconds: number
  /** The first wait, doubled with each further one; 0.5. */
  readonly firstSeconds?: number
}

export interface RetryBudget {
  /** Milliseconds to wait before the next try; undefined when it is time to give up. */
  next(askedMs: number | undefined): number | undefined
}

export function retryBudget({ count, seconds, firstSeconds = 0.5 }: RetryLimits): RetryBudget {
  let tries = 0
  let left = seconds * 1000
  return {
    next(askedMs) {
      // What the server asks for comes first.
      const wait = Math.ceil(askedMs ?? firstSeconds * 1000 * 2 ** tries)
      tries += 1
      if (tries > count || wait > left) return undefined
      left -= wait
      return wait
    },
  }
}
