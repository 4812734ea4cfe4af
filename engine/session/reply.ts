/** Gathers what a parser reads into the events and the message of one reply. */
import type { ReplyEvent } from '../dialect.ts'
import type { AssistantMessage, Message, ToolCall } from '../messages.ts'
import type { ModelEvent } from '../model.ts'

/** Ids that are unique in one session: `call_1`, `call_2` … A restored session goes on after the ids it holds. */
export interface CallIds {
  next(): string
  /** A counter that goes on from the same place: for a fork. */
  copy(): CallIds
  /** Takes notice of ids that came from elsewhere. */
  seen(messages: readonly Message[]): void
}

export function callIds(last = 0): CallIds {
  let count = last
  return {
    next() {
      count += 1
      return `call_${count}`
    },
    copy: () => callIds(count),
    seen(messages) {
      for (const message of messages) {
        if (message.role !== 'assistant') continue
        for (const { id } of message.calls) {
          const number = /^call_(\d{1,9})$/.exec(id)?.[1]
          if (number !== undefined) count = Math.max(count, Number(number))
        }
      }
    },
  }
}

/** One reply as it grows. */
export interface Reply {
  /** Takes a parsed event in and gives the event for the loop. */
  take(event: ReplyEvent): ModelEvent
  message(extra?: Pick<AssistantMessage, 'sampled' | 'raw'>): AssistantMessage
}

export function collectReply(ids: CallIds): Reply {
  let reasoning = ''
  let text = ''
  const calls: ToolCall[] = []
  return {
    take(event) {
      if (event.type === 'reasoning') reasoning += event.text
      if (event.type === 'text') text += event.text
      if (event.type !== 'call') return event
      const call: ToolCall = { id: ids.next(), name: event.call.name, arguments: event.call.arguments }
      calls.push(call)
      return { type: 'call', call }
    },
    message: (extra = {}) => ({ role: 'assistant', reasoning, text, calls: [...calls], ...extra }),
  }
}
