/** Ctrl-C and its kin: the first one asks the run to stop, a short while later or with the second one it is over. */

export interface Interrupts {
  readonly signal: AbortSignal
  /** Asks the run to stop, as the first Ctrl-C does. */
  interrupt(): void
  dispose(): void
}

/** Two signals within this time are one: a terminal signals the whole group, and our launcher passes its own on too. */
const sameMs = 50

/** Time the run has to end by itself; with the way out it stays within 300 ms. */
const graceMs = 200

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** `giveUp` is called once, when the grace is over or a second signal comes: it must end the process. */
export function watchInterrupts(giveUp: () => void): Interrupts {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let over = false
  let askedAt = 0
  const end = (): void => {
    if (over) return
    over = true
    giveUp()
  }
  const interrupt = (): void => {
    if (controller.signal.aborted) {
      if (performance.now() - askedAt > sameMs) end()
    } else {
      askedAt = performance.now()
      timer = setTimeout(end, graceMs)
      controller.abort()
    }
  }
  for (const signal of signals) process.on(signal, interrupt)
  return {
    signal: controller.signal,
    interrupt,
    dispose() {
      over = true
      clearTimeout(timer)
      // Who was interrupted is about to exit with a code of its own: a further Ctrl-C must not end it without one.
      if (controller.signal.aborted) return
      for (const signal of signals) process.off(signal, interrupt)
    },
  }
}
