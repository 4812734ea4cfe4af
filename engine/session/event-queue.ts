/** From callbacks to an async iterable. */

export interface EventQueue<T> extends AsyncIterable<T> {
  push(value: T): void
  end(): void
}

/** One consumer. Values pushed while nobody waits are kept. */
export function eventQueue<T>(): EventQueue<T> {
  const values: T[] = []
  let ended = false
  let wake: (() => void) | undefined
  return {
    push(value) {
      values.push(value)
      wake?.()
    },
    end() {
      ended = true
      wake?.()
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        while (values.length > 0) yield values.shift()!
        if (ended) return
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}
