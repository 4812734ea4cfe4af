/** One engine, many clients: requests wait here, and each client's next one in turn with those of others. */
import { ApiError } from './api-error.ts'

export interface Turnstile {
  /**
   * Waits for a turn; gives the function that ends it. One client's requests are served in their order, and clients take
   * turns, so that fifty requests of one do not hold up the one of another. Throws ApiError when too many wait, and the
   * signal's reason when it aborts first.
   */
  enter(client: string, signal: AbortSignal): Promise<() => void>
  readonly waiting: number
  readonly running: number
}

interface Waiting {
  readonly client: string
  readonly start: () => void
}

/** @param places requests that may run at once; `most`: those that may wait. */
export function turnstile(places: number, most: number): Turnstile {
  let running = 0
  let queue: Waiting[] = []
  /** Client → number of its last turn: who waits longest since then is next. */
  const served = new Map<string, number>()
  let turns = 0

  function admit(): void {
    while (running < places && queue.length > 0) {
      const next = queue.reduce((best, each) => (turnOf(each) < turnOf(best) ? each : best))
      queue = queue.filter((each) => each !== next)
      next.start()
    }
  }
  const turnOf = ({ client }: Waiting): number => served.get(client) ?? 0

  function begin(client: string): () => void {
    running += 1
    turns += 1
    served.delete(client)
    served.set(client, turns)
    // Names are the clients' own words: only the last ones are remembered.
    if (served.size > 1000) served.delete(served.keys().next().value ?? '')
    let over = false
    return () => {
      if (over) return
      over = true
      running -= 1
      admit()
    }
  }

  return {
    get waiting() {
      return queue.length
    },
    get running() {
      return running
    },
    async enter(client, signal) {
      signal.throwIfAborted()
      if (running < places && queue.length === 0) return begin(client)
      if (queue.length >= most) {
        throw new ApiError(429, 'rate_limit_error', `${most} requests are waiting already; ask again later`, 5)
      }
      return await new Promise((resolve, reject) => {
        const waiting: Waiting = {
          client,
          start: () => {
            signal.removeEventListener('abort', leave)
            resolve(begin(client))
          },
        }
        const leave = (): void => {
          queue = queue.filter((each) => each !== waiting)
          reject(signal.reason)
        }
        signal.addEventListener('abort', leave, { once: true })
        queue.push(waiting)
      })
    },
  }
}
