/** Evaluates tokens and tells how far it is, as something to iterate over. */
import type { Sequence } from '../engine.ts'
import { eventQueue } from './event-queue.ts'

/**
 * Evaluates tokens at the end of a sequence; yields how many of them are done. Throws EngineError. A consumer that
 * leaves early aborts the work by `abandon`, whose signal must be part of `signal`. `checkpoints`: see Sequence.prefill.
 */
export async function* evaluate(
  sequence: Sequence,
  tokens: readonly number[],
  signal: AbortSignal,
  abandon: AbortController,
  checkpoints: readonly number[] = [],
): AsyncGenerator<number, void> {
  if (tokens.length === 0) return
  const progress = eventQueue<number>()
  let failure: { readonly error: unknown } | undefined
  const work = sequence
    .prefill(tokens, { signal, checkpoints, onProgress: (done) => progress.push(done) })
    .catch((error: unknown) => {
      failure = { error }
    })
    .finally(() => progress.end())
  let read = false
  try {
    yield* progress
    read = true
  } finally {
    if (!read) abandon.abort()
    await work
  }
  if (failure !== undefined) throw failure.error
}
