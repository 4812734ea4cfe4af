/** A question aside: answered in a copy of the conversation that is thrown away. */
import type { Sampling } from '../engine/index.ts'
import type { Conversation } from './conversation.ts'
import type { AgentEvent } from './events.ts'

const answerTokens = 2000
const note = '(A question aside. Answer in words, without calls.)'
const goesOn = 'It is still going on: there is no result yet.'

/** Yields what streams, and the usage. A failure of the model is a notice. `running`: what was called for is still being done. */
export async function* askAside(
  conversation: Conversation,
  question: string,
  {
    signal,
    sampling,
    running,
  }: { readonly signal: AbortSignal; readonly sampling: Partial<Sampling> | undefined; readonly running: boolean },
): AsyncGenerator<AgentEvent, void> {
  const fork = await conversation.fork()
  try {
    await fork.settle(running ? goesOn : undefined)
    await fork.append([{ role: 'user', text: `${question}\n\n${note}` }])
    for await (const event of fork.respond({ signal, maxTokens: answerTokens, ...(sampling && { sampling }) })) {
      if (event.type === 'prefill' || event.type === 'reasoning' || event.type === 'text') yield event
      if (event.type === 'done') yield { type: 'usage', usage: event.usage }
      if (event.type === 'error') yield { type: 'notice', level: 'error', text: event.failure.message }
    }
  } finally {
    await fork.close()
  }
}
