/** An exploration: a copy of the conversation that may only read, and of which only the answer is kept. */
import type { Usage } from '../../engine/index.ts'
import { allTools } from '../../tools/index.ts'
import { runCalls } from './calls.ts'
import { writeGuard } from './guard.ts'
import { Spending } from './limits.ts'
import { repeats } from './repeats.ts'
import { hearReply } from './reply.ts'
import type { Explore, Turn } from './turn.ts'

/** Requests to the model, generated tokens, seconds: a look around, not a task. */
const limits = { steps: 16, tokens: 6000, seconds: 300 }
const reading = new Set(['read', 'list', 'search', 'outline', 'symbols', 'recall'])

const told = (question: string): string =>
  `You are in a copy of this conversation now, only to find something out: ${question}\nOnly read, list, search, outline and symbols work here. When you know it, answer in words, with paths and lines; only that answer is kept.`

/** Does not reject for anything that the model did. */
export async function explore(turn: Turn, ...[question, { signal, spent }]: Parameters<Explore>): ReturnType<Explore> {
  const fork = await turn.conversation.fork()
  const spending = new Spending(limits, turn.clock)
  try {
    // The call that asked for this is answered, in the copy, by what there is to do.
    await fork.settle(told(question))
    const { policy } = turn.toolContext
    const sub: Turn = {
      ...turn,
      conversation: fork,
      tools: allTools.filter(({ name }) => reading.has(name)),
      toolContext: { ...turn.toolContext, policy: { ...policy, mode: 'read-only' } },
      explore: undefined,
      signal,
      approve: undefined,
      steering: () => [],
      news: undefined,
      makeRoom: undefined,
      filesInPlay: () => [],
    }
    const stop = AbortSignal.any([signal, spending.overdue])
    const guard = writeGuard({
      task: question,
      workspace: sub.toolContext.workspace,
      mine: () => false,
      parts: new Map(),
      unseen: false,
      quotes: false,
    })
    const account = (usage: Usage): void => {
      spending.add(usage)
      spent(usage)
    }
    const options = { circles: repeats(), guard, signal: stop, explored: account }
    for (; spending.exhausted() === undefined && !stop.aborted; spending.steps += 1) {
      const maxTokens = spending.replyTokens(turn.info)
      const reply = await ended(hearReply(sub, { signal: stop, maxTokens, spent: account }))
      if (reply.kind === 'failed') return { ok: false, text: reply.failure.message }
      if (reply.kind === 'left') break
      const { text, calls } = reply.message
      if (calls.length === 0 && text.trim() !== '') return { ok: true, text: text.trim() }
      await ended(runCalls(sub, reply, options))
      if (calls.length === 0) await fork.append([{ role: 'user', text: 'Answer in words.' }])
    }
    return { ok: false, text: signal.aborted ? 'it was interrupted.' : 'it took too long. Ask for less.' }
  } finally {
    spending.close()
    await fork.close()
  }
}

/** What a generator comes to; what it tells on the way is not for anybody. */
async function ended<Result>(events: AsyncGenerator<unknown, Result>): Promise<Result> {
  for (;;) {
    const step = await events.next()
    if (step.done === true) return step.value
  }
}
