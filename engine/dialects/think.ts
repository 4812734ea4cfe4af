/** Splits a leading `<think>…</think>` off a reply. */
import type { ReplyEvent, ReplyParser } from '../dialect.ts'

const open = '<think>'
const close = '</think>'

/**
 * A parser that gives what stands in `<think>` at the beginning of a reply as reasoning and hands the rest to `inner`.
 * Whitespace around the two tags is dropped. A reply that ends inside is all reasoning. A tag anywhere else is text.
 */
export function withThinking(inner: ReplyParser): ReplyParser {
  let state: 'start' | 'reasoning' | 'after' | 'rest' = 'start'
  /** What may be a tag, or the beginning of one. */
  let held = ''
  /** Whitespace that is shown only when something follows it. */
  let space = ''
  let said = false

  function push(chunk: string): ReplyEvent[] {
    if (state === 'rest') return inner.push(chunk)
    held += chunk
    const events: ReplyEvent[] = []
    if (state === 'start' && !begin()) return state === 'start' ? events : handOver(space + held)
    if (state === 'reasoning' && !think(events)) return events
    held = held.trimStart()
    if (held !== '') events.push(...handOver(held))
    return events
  }

  /** Whether the reply begins with the tag, as far as it is known. */
  function begin(): boolean {
    const text = held.trimStart()
    space += held.slice(0, held.length - text.length)
    held = text
    if (text.startsWith(open)) {
      state = 'reasoning'
      held = text.slice(open.length)
      space = ''
      return true
    }
    if (!open.startsWith(text)) state = 'rest'
    return false
  }

  /** Shows reasoning; true when it came to its end. */
  function think(events: ReplyEvent[]): boolean {
    const at = held.indexOf(close)
    const upTo = at === -1 ? held.length - tagLength(held) : at
    say(events, held.slice(0, upTo))
    held = at === -1 ? held.slice(upTo) : held.slice(at + close.length)
    if (at === -1) return false
    state = 'after'
    return true
  }

  function say(events: ReplyEvent[], text: string): void {
    const words = text.trimEnd()
    if (words === '') {
      if (said) space += text
      return
    }
    events.push({ type: 'reasoning', text: said ? space + words : words.trimStart() })
    said = true
    space = text.slice(words.length)
  }

  function handOver(text: string): ReplyEvent[] {
    state = 'rest'
    held = ''
    return inner.push(text)
  }

  return {
    push,
    end() {
      const events: ReplyEvent[] = []
      if (state === 'start') events.push(...inner.push(space + held))
      if (state === 'reasoning') say(events, held)
      return [...events, ...inner.end()]
    },
  }
}

/** Length of a beginning of the closing tag at the end of a text. */
function tagLength(text: string): number {
  for (let length = Math.min(close.length - 1, text.length); length > 0; length -= 1) {
    if (close.startsWith(text.slice(text.length - length))) return length
  }
  return 0
}
