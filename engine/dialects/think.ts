/** Splits a leading `<think>…</think>` off a reply. */
import type { ReplyEvent, ReplyParser } from '../dialect.ts'

const open = '<think>'
const close = '</think>'

interface Thinking {
  /** The prompt ended with `<think>`, so a reply begins inside of it. */
  readonly opened?: boolean
  /** The tag of a call: one that begins a line of a think which is never closed is read by `inner`, too. */
  readonly callTag?: string
}

/**
 * A parser that gives what stands in `<think>` at the beginning of a reply as reasoning and hands the rest to `inner`.
 * Whitespace around the two tags is dropped. A reply that ends inside is all reasoning, and what it calls is called. A tag
 * anywhere else is text.
 */
export function withThinking(inner: ReplyParser, { opened = false, callTag }: Thinking = {}): ReplyParser {
  let state: 'start' | 'reasoning' | 'after' | 'rest' = 'start'
  /** All of the reasoning so far. */
  let thought = ''
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
    if (open.startsWith(text)) return false
    state = opened ? 'reasoning' : 'rest'
    return opened
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
    thought += text
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
      if (state === 'start' && !opened) events.push(...inner.push(space + held))
      else if (state === 'start' || state === 'reasoning') say(events, held)
      const at = state === 'reasoning' && callTag !== undefined ? ownLine(thought, callTag) : -1
      if (at === -1) return [...events, ...inner.end()]
      // Its words were told as reasoning already.
      const late = [...inner.push(thought.slice(at)), ...inner.end()]
      return [...events, ...late.filter(({ type }) => type !== 'text' && type !== 'reasoning')]
    },
  }
}

/** Where a tag first begins a line; -1: nowhere. */
function ownLine(text: string, tag: string): number {
  for (let at = text.indexOf(tag); at !== -1; at = text.indexOf(tag, at + 1)) {
    if (text.slice(text.lastIndexOf('\n', at - 1) + 1, at).trim() === '') return at
  }
  return -1
}

/** Length of a beginning of the closing tag at the end of a text. */
function tagLength(text: string): number {
  for (let length = Math.min(close.length - 1, text.length); length > 0; length -= 1) {
    if (close.startsWith(text.slice(text.length - length))) return length
  }
  return 0
}
