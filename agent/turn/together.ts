/** Several replies to one request, decoded side by side on forks of one conversation: each step reads the weights once. */
import type { Conversation } from '../conversation.ts'
import type { AgentEvent } from '../events.ts'
import type { Spending } from './limits.ts'
import { hearReply, type Reply } from './reply.ts'
import type { Turn } from './turn.ts'

/** A reply that came to its end, and the conversation that it stands in. */
export interface Candidate {
  /** Of the turns that were given. */
  readonly index: number
  readonly turn: Turn
  /** What was heard of it, from its beginning. */
  readonly events: readonly AgentEvent[]
  readonly reply: Reply
}

/**
 * Asks once for each turn, each on a fork of its own of what `turns[0].conversation` holds; gives the replies in the order in
 * which they end. Who stops listening ends the others. Fewer come where the model has no room for so many; none at all
 * means: ask one after the other. The forks are gone when it returns.
 */
export async function* together(turns: readonly Turn[], spending: Spending): AsyncGenerator<Candidate, void> {
  const [first] = turns
  if (first === undefined) return
  const enough = new AbortController()
  const signal = AbortSignal.any([first.signal, spending.overdue, enough.signal])
  await first.conversation.readWhole(signal)
  const forks = await forksOf(first.conversation, turns.length)
  const maxTokens = spending.replyTokens(first.info, first.replyTokens, forks.length)
  const hear = async (conversation: Conversation, index: number): Promise<Candidate> => {
    const turn = { ...turns[index]!, conversation }
    const events: AgentEvent[] = []
    const heard = hearReply(turn, { signal, maxTokens, spent: (usage) => spending.add(usage) })
    for (;;) {
      const step = await heard.next()
      if (step.done) return { index, turn, events, reply: step.value }
      events.push(step.value)
    }
  }
  const waiting = new Map(forks.map((fork, index) => [index, hear(fork, index)]))
  for (const reply of waiting.values()) reply.catch(() => undefined) // told where it is waited for
  try {
    while (waiting.size > 0) {
      const candidate = await Promise.race(waiting.values())
      waiting.delete(candidate.index)
      yield candidate
    }
  } finally {
    enough.abort()
    await Promise.allSettled(waiting.values())
    await Promise.all(forks.map((fork) => fork.close()))
  }
}

async function forksOf(conversation: Conversation, most: number): Promise<Conversation[]> {
  const forks: Conversation[] = []
  while (forks.length < most) {
    try {
      forks.push(await conversation.fork())
    } catch {
      // Every sequence of the engine is taken; what is wrong with it otherwise is told by the next request.
      break
    }
  }
  return forks
}
