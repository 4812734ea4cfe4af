/** Ctrl-C and its kin for commands that end by themselves once they are asked to. */
import { exitCode } from '../agent/index.ts'

/** A second Ctrl-C ends at once; two signals of one keystroke (ours and the launcher's) are one. */
const sameMs = 500

export function stopOnSignals(): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController()
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  let askedAt = 0
  const heard = (): void => {
    if (controller.signal.aborted && performance.now() - askedAt > sameMs) process.exit(exitCode.interrupted)
    askedAt ||= performance.now()
    controller.abort()
  }
  for (const signal of signals) process.on(signal, heard)
  return {
    signal: controller.signal,
    dispose() {
      for (const signal of signals) process.off(signal, heard)
    },
  }
}
