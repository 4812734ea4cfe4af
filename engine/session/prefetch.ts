/** Reads what will probably be said, before it is: the cache then holds it, and the ledger does not. */
import { type Engine, EngineError } from '../engine.ts'
import type { Message } from '../messages.ts'
import type { SequenceCache } from './cache.ts'
import { inCallOrder } from './call-order.ts'
import type { TokenLedger } from './ledger.ts'

/** See ModelSession.prefetch. Gives the tokens that were evaluated. */
export async function prefetch(options: {
  readonly engine: Engine
  readonly ledger: TokenLedger
  readonly cache: SequenceCache
  readonly messages: readonly Message[]
  readonly signal: AbortSignal
}): Promise<number> {
  const { engine, ledger, cache, messages, signal } = options
  const mark = ledger.mark()
  let tokens: number[]
  try {
    for (const message of inCallOrder(messages, mark.previous)) await ledger.append(message)
    tokens = [...ledger.tokens, ...(await ledger.opening())]
  } finally {
    ledger.rewind(mark)
  }
  // The last token is evaluated with the first of the reply; and there must be room for one.
  const wanted = tokens.length - 1
  if (signal.aborted || wanted >= engine.info.contextTokens - 1) return 0
  const sequence = await cache.align(tokens)
  const from = sequence.length
  try {
    if (from < wanted) await sequence.prefill(tokens.slice(from, wanted), { signal, checkpoints: [mark.length] })
  } catch (error) {
    if (!(signal.aborted && error instanceof EngineError && error.kind === 'aborted')) {
      await cache.forget()
      throw error
    }
  }
  cache.holds(tokens)
  return Math.max(0, sequence.length - from)
}
