/** Reading the result of a command while it is still running: its beginning is known before its end. */
import type { ToolCall } from '../../engine/index.ts'
import type { Conversation } from '../conversation.ts'

/** Characters that must have come since the last look: less is no work worth beginning. */
const leastNew = 200

export interface Incoming {
  /** Takes what the result begins with, as far as that is known now: each begins with the one before it. */
  readonly beginning: (text: string) => void
  /** The result is there, or will not come: nothing more is begun. What is still being read ends with what is appended. */
  readonly end: () => void
}

/**
 * Reads the beginning of a result into the cache as it grows, one piece after the other. It is a guess until the result is
 * there (the command may fail, and its result then begins in another way): nothing is appended, and what does not hold is cut
 * off like any draft, by its tokens.
 */
export function readIncoming(conversation: Conversation, { id, name }: ToolCall): Incoming {
  let latest = ''
  /** Characters of it that were read, or are being read. */
  let taken = 0
  let ended = false
  let reading = false

  async function read(): Promise<void> {
    reading = true
    while (!ended && latest.length - taken >= leastNew) {
      taken = latest.length
      await conversation.ahead([{ role: 'tool', callId: id, name, text: latest, ok: true }], { open: true })
    }
    reading = false
  }

  return {
    beginning(text) {
      latest = text
      if (!reading && !ended) void read() // does not reject
    },
    end() {
      ended = true
    },
  }
}
