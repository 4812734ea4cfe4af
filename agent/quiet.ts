/** What changes by steps that take time is copied between them, never within one. */

export interface Quiet {
  /** Waits for copies that are being made; nothing is copied until the function that it gives is called, which may be called again. */
  begin(): Promise<() => void>
  /** A change that ends with this work. */
  change<Result>(work: () => Promise<Result>): Promise<Result>
  /** Makes a copy when nothing changes. Not from within a change: it would wait for itself. */
  copy<Result>(work: () => Promise<Result>): Promise<Result>
}

export function openQuiet(): Quiet {
  const changes = new Set<Promise<void>>()
  const copies = new Set<Promise<unknown>>()

  async function begin(): Promise<() => void> {
    while (copies.size > 0) await Promise.all(copies)
    const { promise, resolve } = Promise.withResolvers<void>()
    changes.add(promise)
    return () => {
      changes.delete(promise)
      resolve()
    }
  }

  return {
    begin,
    async change(work) {
      const end = await begin()
      try {
        return await work()
      } finally {
        end()
      }
    },
    async copy(work) {
      while (changes.size > 0) await Promise.all(changes)
      const copy = work()
      const ended = copy.catch(() => undefined) // told to whom it belongs
      copies.add(ended)
      try {
        return await copy
      } finally {
        copies.delete(ended)
      }
    },
  }
}
