/** One reply while it is made: what it is made from, what it has come to, what it cost. */
import type { GenerateCounts } from '../engine.ts'
import type { AssistantMessage } from '../messages.ts'
import type { Usage } from '../model.ts'
import { type CallIds, collectReply, type Reply } from './reply.ts'

/** What one reply has come to. */
export interface Turn {
  readonly reply: Reply
  opening: number[]
  prompt: number[]
  cached: number
  sampled: number[]
  raw: string
  stop: 'end' | 'length' | 'aborted'
  began: number
  prefilled: number | undefined
  counts: GenerateCounts | undefined
}

export const newTurn = (ids: CallIds): Turn => ({
  reply: collectReply(ids),
  opening: [],
  prompt: [],
  cached: 0,
  sampled: [],
  raw: '',
  stop: 'end',
  began: performance.now(),
  prefilled: undefined,
  counts: undefined,
})

/** As the conversation keeps it. */
export function messageOf(turn: Turn): AssistantMessage {
  const message = turn.reply.message({ sampled: [...turn.sampled] })
  return turn.raw === message.text ? message : { ...message, raw: turn.raw }
}

/** Up to now. */
export function spentOn(turn: Turn): Usage {
  const now = performance.now()
  const promptTokens = Math.max(turn.prompt.length, turn.cached)
  return {
    promptTokens,
    cachedTokens: turn.cached,
    evaluatedTokens: promptTokens - turn.cached,
    generatedTokens: turn.sampled.length,
    prefillSeconds: ((turn.prefilled ?? now) - turn.began) / 1000,
    decodeSeconds: (now - (turn.prefilled ?? now)) / 1000,
    ...(turn.counts && { draftedTokens: turn.counts.drafted, acceptedTokens: turn.counts.accepted }),
  }
}
