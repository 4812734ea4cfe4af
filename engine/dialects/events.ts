/** Where a parser puts its events: neighbours of one streaming kind become one. */
import type { ReplyEvent } from '../dialect.ts'

export interface EventSink {
  push(event: ReplyEvent): void
  /** Text of the reply. Whitespace before the first word and after the last is dropped. */
  say(text: string): void
  /** Whether text was said. */
  readonly said: boolean
  /** The events since the last call. */
  take(): ReplyEvent[]
}

export function eventSink(): EventSink {
  let events: ReplyEvent[] = []
  let said = false
  let space = ''

  function push(event: ReplyEvent): void {
    const last = events.at(-1)
    if (event.type === 'text' && last?.type === 'text') {
      events[events.length - 1] = { type: 'text', text: last.text + event.text }
    } else if (event.type === 'call-delta' && last?.type === 'call-delta') {
      events[events.length - 1] = { type: 'call-delta', text: last.text + event.text }
    } else events.push(event)
  }

  return {
    push,
    get said() {
      return said
    },
    say(text) {
      const words = text.trimEnd()
      if (words === '') {
        if (said) space += text
        return
      }
      push({ type: 'text', text: said ? space + words : words.trimStart() })
      said = true
      space = text.slice(words.length)
    },
    take() {
      const taken = events
      events = []
      return taken
    },
  }
}
