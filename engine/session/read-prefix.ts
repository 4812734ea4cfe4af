/** Reads what a session was given, without a reply, and keeps it on disk as it goes. */
import { type Engine, EngineError } from '../engine.ts'
import type { Usage } from '../model.ts'
import type { SequenceCache } from './cache.ts'
import { contextFull } from './failure.ts'
import type { TokenLedger } from './ledger.ts'
import { leastKept, nextStride, type Readings } from './readings.ts'

/**
 * A model whose memory cannot be cut loses all of it with an aborted batch: it is stopped only between pieces of so many
 * tokens.
 */
const uncutTokens = 256

/** See ModelSession.read. */
export async function readPrefix(options: {
  readonly engine: Engine
  readonly ledger: TokenLedger
  /** Where the segments end that another conversation would begin with, too, ascending. */
  readonly ends: readonly number[]
  readonly cache: SequenceCache
  readonly readings: Readings
  readonly signal: AbortSignal
  readonly onProgress?: (done: number, total: number, cached: number) => void
}): Promise<Usage> {
  const { engine, ledger, ends, cache, readings, signal, onProgress } = options
  const began = performance.now()
  const tokens = [...ledger.tokens]
  const total = tokens.length
  if (total >= engine.info.contextTokens)
    throw new EngineError('context-full', contextFull(total + 1, engine.info.contextTokens).message)
  // With what opens the reply behind it, so that a reading of all the tokens counts as a beginning.
  const sequence = await cache.align([...tokens, ...(await ledger.opening())])
  const cached = sequence.length
  onProgress?.(cached, total, cached)
  // What stands in the prefix is kept by itself, and the conversation behind it where it is long.
  const prefix = ends.at(-1) ?? total
  const worth = (length: number): boolean => length <= prefix || length < total || total - prefix >= leastKept.tokens
  const cuts = engine.info.rewind === 'free'
  const patient = new AbortController().signal
  let seconds = 0
  try {
    while (sequence.length < total && !signal.aborted) {
      const from = sequence.length
      const place = Math.min(total, nextStride(from), from < prefix ? prefix : total)
      const to = cuts ? place : Math.min(place, from + uncutTokens)
      const since = performance.now()
      await sequence.prefill(tokens.slice(from, to), {
        signal: cuts ? signal : patient,
        onProgress: (done) => onProgress?.(from + done, total, cached),
      })
      seconds += (performance.now() - since) / 1000
      if ((to === place && worth(to)) || signal.aborted) await readings.keep(sequence, tokens.slice(0, to))
    }
    await readings.measured(total - cached, seconds)
  } catch (error) {
    if (!(signal.aborted && error instanceof EngineError && error.kind === 'aborted')) throw error
    if (sequence.length > cached) await readings.keep(sequence, tokens.slice(0, sequence.length))
  } finally {
    cache.holds(tokens)
  }
  const evaluatedTokens = Math.max(0, sequence.length - cached)
  return {
    promptTokens: cached + evaluatedTokens,
    cachedTokens: cached,
    evaluatedTokens,
    generatedTokens: 0,
    prefillSeconds: (performance.now() - began) / 1000,
    decodeSeconds: 0,
  }
}
