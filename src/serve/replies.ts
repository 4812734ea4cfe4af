/**
 * Replies that were given, by the conversation that they end: a client sends them back as text, and what was sampled is
 * to stay as sampled, so that the next request's tokens begin with those of the last.
 */
import { createHash } from 'node:crypto'
import type { Message } from '../../engine/index.ts'
import type { ModelRequest } from './model-request.ts'

export interface Replies {
  /** The messages, those of the assistant with the tokens that were sampled where they are known. */
  recall(request: ModelRequest): Message[]
  /** Keeps a reply as the client got it. `sampled`: its tokens. */
  keep(request: ModelRequest, reply: Message, sampled: readonly number[]): void
}

/** Remembers at most `most` replies, the last ones. */
export function replies(most: number): Replies {
  const known = new Map<string, readonly number[]>()
  return {
    recall({ system, tools, messages }) {
      let chain = digest('', [system, tools])
      return messages.map((message) => {
        chain = digest(chain, contentOf(message))
        const sampled = message.role === 'assistant' ? known.get(chain) : undefined
        return message.role === 'assistant' && sampled !== undefined ? { ...message, sampled } : message
      })
    },
    keep({ system, tools, messages }, reply, sampled) {
      const before = messages.reduce((chain, message) => digest(chain, contentOf(message)), digest('', [system, tools]))
      known.set(digest(before, contentOf(reply)), sampled)
      if (known.size > most) known.delete(known.keys().next().value ?? '')
    },
  }
}

const digest = (before: string, value: unknown): string =>
  createHash('sha256').update(before).update(JSON.stringify(value)).digest('base64')

/** What a client sends back of a message: reasoning is left out by many. */
function contentOf(message: Message): unknown {
  if (message.role !== 'assistant') return message
  return { text: message.text, calls: message.calls.map(({ id, name, arguments: input }) => [id, name, input]) }
}
