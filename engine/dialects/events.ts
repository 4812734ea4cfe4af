/** Where a parser puts its events: neighbours of one streaming kind become one. */
import type { ReplyEvent } from '../dialect.ts'

export interface EventSink {
  push(event: ReplyEvent): void
  /** Text of the reply. Whitespace before the first word and after the last is dropped. */
  say(text: string): void
  /** Reasoning, with the same care of whitespace. */
  think(text: string): void
  /** Whether text was said. */
  readonly said: boolean
  /** The events since the last call. */
  take(): ReplyEvent[]
}

export function eventSink(): EventSink {
  let events: ReplyEvent[] = []
  const text = voice('text')
  const reasoning = voice('reasoning')

  function push(event: ReplyEvent): void {
    const last = events.at(-1)
    if ((event.type === 'text' || event.type === 'reasoning') && last?.type === event.type) {
      events[events.length - 1] = { type: event.type, text: last.text + event.text }
    } else if (event.type === 'call-delta' && last?.type === 'call-delta') {
      events[events.length - 1] = { type: 'call-delta', text: last.text + event.text }
    } else events.push(event)
  }

  function voice(type: 'text' | 'reasoning'): { readonly said: () => boolean; readonly say: (text: string) => void } {
    let said = false
    let space = ''
    return {
      said: () => said,
      say(text) {
        const words = text.trimEnd()
        if (words === '') {
          if (said) space += text
          return
        }
        push({ type, text: said ? space + words : words.trimStart() })
        said = true
        space = text.slice(words.length)
      },
    }
  }

  return {
    push,
    get said() {
      return text.said()
    },
    say: text.say,
    think: reasoning.say,
    take() {
      const taken = events
      events = []
      return taken
    },
  }
}
