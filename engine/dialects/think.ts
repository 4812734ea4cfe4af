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
  let held = ''

  function push(chunk: string): ReplyEvent[] {
    if (state === 'rest') return inner.push(chunk)
    held += chunk
    if (state === 'start') {
      const text = held.trimStart()
      if (text.startsWith(open)) {
        state = 'reasoning'
        held = text.slice(open.length)
      } else if (open.startsWith(text)) return []
      else {
        state = 'rest'
        return inner.push(held)
      }
    }
    const events: ReplyEvent[] = []
    if (state === 'reasoning') {
      const at = held.indexOf(close)
      if (at === -1) {
        // Whitespace is held too, because it is dropped where the tag follows; and what may begin the tag.
        const safe = held.length - heldBack(held)
        if (safe > 0) say(events, held.slice(0, safe))
        held = held.slice(safe)
        return events
      }
      say(events, held.slice(0, at).trimEnd())
      held = held.slice(at + close.length)
      state = 'after'
    }
    held = held.trimStart()
    if (held === '') return events
    state = 'rest'
    events.push(...inner.push(held))
    return events
  }

  let began = false
  function say(events: ReplyEvent[], text: string): void {
    const shown = began ? text : text.trimStart()
    if (shown === '') return
    began = true
    events.push({ type: 'reasoning', text: shown })
  }

  return {
    push,
    end() {
      const events: ReplyEvent[] = []
      if (state === 'start') events.push(...inner.push(held))
      if (state === 'reasoning') say(events, held.trimEnd())
      events.push(...inner.end())
      return events
    },
  }
}

/** Length of the end that must wait: trailing whitespace and a beginning of the closing tag. */
function heldBack(text: string): number {
  let tag = 0
  for (let length = Math.min(close.length - 1, text.length); length > 0; length -= 1) {
    if (close.startsWith(text.slice(text.length - length))) {
      tag = length
      break
    }
  }
  const before = text.slice(0, text.length - tag)
  return tag + (before.length - before.trimEnd().length)
}
