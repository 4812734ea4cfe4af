/** Reads what will probably be said, before it is: the cache then holds it, and the ledger does not. */
import { type Engine, EngineError } from '../engine.ts'
import type { Message } from '../messages.ts'
import { commonLength, type SequenceCache } from './cache.ts'
import { inCallOrder } from './call-order.ts'
import type { TokenLedger } from './ledger.ts'

/** Ways in which a text may go on: what is the same in all does not depend on how it does. */
const endings = ['a', ' a', '\n', '.'] as const

export interface PrefetchRequest {
  readonly engine: Engine
  readonly ledger: TokenLedger
  readonly cache: SequenceCache
  readonly messages: readonly Message[]
  readonly signal: AbortSignal
  /** The text of the last message may still grow: what would close it is not read. */
  readonly open?: boolean | undefined
}

/** See ModelSession.prefetch. Gives the tokens that were evaluated. */
export async function prefetch({ engine, ledger, cache, ...request }: PrefetchRequest): Promise<number> {
  const { messages, signal } = request
  const cuts = engine.info.rewind === 'free'
  const before = ledger.tokens.length
  // Where the cache cannot be cut, what is read behind a text that grows would have to be paid for once more.
  const open = request.open === true || !cuts
  const { tokens, wanted } = open ? await openTokens(ledger, messages) : await closedTokens(ledger, messages)
  // There must be room for the last token, which is evaluated with the first of the reply, and for that one.
  if (signal.aborted || wanted >= engine.info.contextTokens - 1) return 0
  const sequence = await cache.align(tokens)
  const from = sequence.length
  try {
    // What is there is certain, the rest is a guess: a place to come back to lies between them.
    if (!cuts && from > 0 && from <= before) await sequence.checkpoint()
    if (from < wanted) await sequence.prefill(tokens.slice(from, wanted), { signal, checkpoints: [before, wanted] })
  } catch (error) {
    if (!(signal.aborted && error instanceof EngineError && error.kind === 'aborted')) {
      await cache.forget()
      throw error
    }
  }
  cache.holds(tokens)
  return Math.max(0, sequence.length - from)
}

/** With what opens the reply to them. */
async function closedTokens(ledger: TokenLedger, messages: readonly Message[]) {
  const tokens = await tokensWith(ledger, messages)
  return { tokens, wanted: tokens.length - 1 }
}

/** Up to where the tokens are the same however the last text goes on. */
async function openTokens(ledger: TokenLedger, messages: readonly Message[]) {
  const last = messages.at(-1)
  if (last === undefined) {
    const tokens = await tokensWith(ledger, [])
    return { tokens, wanted: Math.min(ledger.tokens.length, tokens.length - 1) }
  }
  const tokens = await tokensWith(ledger, messages)
  let wanted = tokens.length - 1
  for (const ending of endings) {
    const goingOn = await tokensWith(ledger, [...messages.slice(0, -1), { ...last, text: last.text + ending }])
    wanted = Math.min(wanted, commonLength(tokens, goingOn))
  }
  return { tokens, wanted }
}

/** The ledger is as it was afterwards. */
async function tokensWith(ledger: TokenLedger, messages: readonly Message[]): Promise<number[]> {
  const mark = ledger.mark()
  try {
    for (const message of inCallOrder(messages, mark.previous)) await ledger.append(message)
    return [...ledger.tokens, ...(await ledger.opening())]
  } finally {
    ledger.rewind(mark)
  }
}
