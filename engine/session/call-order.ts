/** Results in the order of the calls that they answer: several protocols have no ids, so the order says which is which. */
import type { Message, ToolMessage } from '../messages.ts'

/** Sorts each run of tool messages by the calls of the reply before it. `previous` stands before the first message. */
export function inCallOrder(messages: readonly Message[], previous: Message | undefined): Message[] {
  const ordered: Message[] = []
  let reply = previous
  let run: ToolMessage[] = []
  const settle = (): void => {
    const ids = reply?.role === 'assistant' ? reply.calls.map((call) => call.id) : []
    const place = ({ callId }: ToolMessage): number => {
      const index = ids.indexOf(callId)
      return index === -1 ? ids.length : index
    }
    ordered.push(...run.toSorted((a, b) => place(a) - place(b)))
    run = []
  }
  for (const message of messages) {
    if (message.role === 'tool') {
      run.push(message)
      continue
    }
    settle()
    ordered.push(message)
    reply = message
  }
  settle()
  return ordered
}
