/** Reads Gemma 4's replies as they stream: a thought channel, text, and calls `<|tool_call>call:NAME{…}<tool_call|>`. */
import type { ReplyParser } from '../dialect.ts'
import { eventSink } from './events.ts'
import { quote, readFields } from './gemma-values.ts'
import { fixedTags, tagReader } from './tag-reader.ts'

const callOpen = '<|tool_call>'
const callClose = '<tool_call|>'
const channelOpen = '<|channel>'
const channelClose = '<channel|>'

export const gemmaTags = [callOpen, callClose, channelOpen, channelClose, quote]

type Place = 'text' | 'channel' | 'reasoning' | 'call'

/** A name longer than this on a channel's first line is none. */
const longestChannel = 40

export function gemmaParser(): ReplyParser {
  const sink = eventSink()
  const reader = tagReader(fixedTags(gemmaTags), { text, tag })
  let place: Place = 'text'
  let held = ''
  let inText = false
  let started = false

  function text(words: string): void {
    if (place === 'text') sink.say(words)
    else if (place === 'reasoning') sink.think(words)
    else if (place === 'channel') channel(words)
    else {
      held += words
      if (started) sink.push({ type: 'call-delta', text: words })
      else start()
    }
  }

  /** The channel's name stands alone on its first line. */
  function channel(words: string): void {
    held += words
    const newline = held.indexOf('\n')
    if (newline === -1 && held.length <= longestChannel) return
    place = 'reasoning'
    sink.think(newline === -1 ? held : held.slice(newline + 1))
    held = ''
  }

  function tag(written: string): void {
    if (place === 'call') {
      if (written === callClose && !inText) finish(true)
      else if (written === callOpen && !inText) {
        finish(false)
        place = 'call'
      } else {
        if (written === quote) inText = !inText
        held += written
      }
      return
    }
    if (written === callOpen) {
      place = 'call'
      held = ''
      inText = false
      started = false
    } else if (written === channelOpen) {
      place = 'channel'
      held = ''
    } else if (written === channelClose) {
      place = 'text'
      held = ''
    } else if (written === quote) text(written)
    // A stray end of a call is dropped.
  }

  /** Shows the call once its name is known: what stands after the brace are its arguments. */
  function start(): void {
    const head = /^\s*(?:call:)?\s*([\w.-]+)\s*\{/.exec(held.slice(0, 400))
    if (head?.[1] === undefined) return
    started = true
    sink.push({ type: 'call-start', name: head[1] })
    if (held.length > head[0].length) sink.push({ type: 'call-delta', text: held.slice(head[0].length) })
  }

  /** `closed`: by its own tag. */
  function finish(closed: boolean): void {
    const written = held
    const [, name, body] = /^\s*(?:call:)?\s*([\w.-]+)\s*(\{[\s\S]*)$/.exec(written) ?? []
    const values = body === undefined ? undefined : readFields(body)
    place = 'text'
    held = ''
    inText = false
    const wasStarted = started
    started = false
    if (name !== undefined && values !== undefined) {
      if (!wasStarted) sink.push({ type: 'call-start', name })
      sink.push({ type: 'call', call: { name, arguments: values } })
      return
    }
    const problem = closed
      ? 'The call cannot be read. Write call:NAME{key:value}, texts between <|"|> marks, each argument once.'
      : 'The reply ended inside of a call: it was not done. Write the whole call, shorter if it was too long.'
    sink.push({ type: 'malformed', text: written.trim(), problem })
  }

  return {
    push(chunk) {
      reader.push(chunk)
      return sink.take()
    },
    end() {
      reader.end()
      if (place === 'call') finish(false)
      else if (place === 'channel') sink.think(held)
      return sink.take()
    },
  }
}
