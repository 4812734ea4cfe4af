/** Reads what will probably be said, before it is: the cache then holds it, and the ledger does not. */
import { type Engine, EngineError } from '../engine.ts'
import type { Message } from '../messages.ts'
import { commonLength, type SequenceCache } from './cache.ts'
import { inCallOrder } from './call-order.ts'
import type { Tokenizer } from './growing-tokens.ts'
import type { TokenLedger } from './ledger.ts'

/** Ways in which a text may go on: what is the same in all does not depend on how it does. */
const endings = ['a', ' a', '\n', '.'] as const

export interface PrefetchRequest {
  readonly engine: Engine
  readonly ledger: TokenLedger
  /** See growing-tokens.ts: the same text comes again, longer. */
  readonly tokenizer: Tokenizer
  readonly cache: SequenceCache
  readonly messages: readonly Message[]
  readonly signal: AbortSignal
  /** The text of the last message may still grow: what would close it is not read. */
  readonly open?: boolean | undefined
}

/** See ModelSession.prefetch. Gives the tokens that were evaluated. */
export async function prefetch({ engine, ledger, tokenizer, cache, ...request }: PrefetchRequest): Promise<number> {
  const { messages, signal } = request
  const cuts = engine.info.rewind === 'free'
  const before = ledger.tokens.length
  // Where the cache cannot be cut, what is read behind a text that grows would have to be paid for once more.
  const open = request.open === true || !cuts
  const tokensOf: TokensOf = (said) => tokensWith(ledger, said, tokenizer)
  const { tokens, wanted } = open
    ? await openTokens(tokensOf, before, messages)
    : await closedTokens(tokensOf, messages)
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

type TokensOf = (messages: readonly Message[]) => Promise<number[]>

/** With what opens the reply to them. */
async function closedTokens(tokensOf: TokensOf, messages: readonly Message[]) {
  const tokens = await tokensOf(messages)
  return { tokens, wanted: tokens.length - 1 }
}

/** Up to where the tokens are the same however the last text goes on. */
async function openTokens(tokensOf: TokensOf, before: number, messages: readonly Message[]) {
  const last = messages.at(-1)
  const tokens = await tokensOf(messages)
  if (last === undefined) return { tokens, wanted: Math.min(before, tokens.length - 1) }
  let wanted = tokens.length - 1
  for (const ending of endings) {
    const goingOn = await tokensOf([...messages.slice(0, -1), { ...last, text: last.text + ending }])
    wanted = Math.min(wanted, commonLength(tokens, goingOn))
  }
  return { tokens, wanted }
}

/** The ledger stays as it is. */
async function tokensWith(ledger: TokenLedger, messages: readonly Message[], tokenizer: Tokenizer): Promise<number[]> {
  const copy = ledger.fork(tokenizer)
  for (const message of inCallOrder(messages, copy.mark().previous)) await copy.append(message)
  return [...copy.tokens, ...(await copy.opening())]
}
