/** A question aside: answered in a copy of the conversation that is thrown away. */
import type { Sampling } from '../engine/index.ts'
import type { Conversation } from './conversation.ts'
import type { AgentEvent } from './events.ts'

const answerTokens = 2000
const note = '(A question aside. Answer in words, without calls.)'

/** Yields what streams, and the usage. A failure of the model is a notice. */
export async function* askAside(
  conversation: Conversation,
  question: string,
  { signal, sampling }: { readonly signal: AbortSignal; readonly sampling: Partial<Sampling> | undefined },
): AsyncGenerator<AgentEvent, void> {
  const fork = await conversation.fork()
  try {
    await fork.settle()
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
