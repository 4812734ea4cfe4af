/**
 * Reads harmony replies as they stream: messages on channels, each `header<|message|>body`. `analysis` is reasoning,
 * `final` and words on `commentary` are text, and a message to `functions.NAME` is a call with JSON arguments.
 */
import type { ParserOptions, ReplyParser } from '../dialect.ts'
import { hasRequired, isRecord, unwrapped } from './arguments.ts'
import { eventSink } from './events.ts'
import { readCalls } from './json-call.ts'
import { fixedTags, tagReader } from './tag-reader.ts'

export const harmonyTags = [
  '<|start|>',
  '<|channel|>',
  '<|message|>',
  '<|constrain|>',
  '<|end|>',
  '<|call|>',
  '<|return|>',
]

type Place = 'header' | 'reasoning' | 'text' | 'call'

/** The prompt ended with `<|start|>assistant`, so a reply begins inside of a header. */
export function harmonyParser({ tools }: ParserOptions): ReplyParser {
  const sink = eventSink()
  const reader = tagReader(fixedTags(harmonyTags), { text, tag })
  let place: Place = 'header'
  /** A header so far; its tags stand in it as they are. */
  let header = ''
  let name = ''
  let json = ''

  function text(words: string): void {
    if (place === 'header') header += words
    else if (place === 'reasoning') sink.think(words)
    else if (place === 'text') sink.say(words)
    else {
      json += words
      sink.push({ type: 'call-delta', text: words })
    }
  }

  function tag(written: string): void {
    switch (written) {
      case '<|message|>':
        if (place === 'header') open()
        return
      case '<|constrain|>':
        if (place === 'header') header += ' '
        return
      case '<|channel|>':
        // Also where the message before was not ended.
        if (place !== 'header') close(false)
        header += written
        return
      case '<|start|>':
        if (place !== 'header') close(false)
        header = ''
        return
      default:
        // The end of a message, also of one that had no body.
        close(written === '<|call|>')
    }
  }

  function open(): void {
    const channel = /<\|channel\|>\s*([a-z]+)/.exec(header)?.[1] ?? 'final'
    const to = /\bto=(?:functions\.)?([^\s<]+)/.exec(header)?.[1]
    header = ''
    if (to !== undefined && to !== 'assistant' && to !== 'user') {
      place = 'call'
      name = to
      json = ''
      sink.push({ type: 'call-start', name })
    } else place = channel === 'analysis' ? 'reasoning' : 'text'
  }

  /** `ended`: by the token that ends a call, so that nothing is missing. */
  function close(ended: boolean): void {
    if (place === 'header' && header.trim() !== '') stray()
    if (place === 'call') finish(ended)
    place = 'header'
    header = ''
  }

  /** Words without the frame of a message: a model that forgot it. */
  function stray(): void {
    const words = header.replace(/<\|channel\|>/g, '')
    if (!/^\s*(?:assistant)?\s*(?:analysis|commentary|final)?\s*$/.test(words)) sink.say(words)
  }

  function finish(ended: boolean): void {
    const tool = tools.find((tool) => tool.name === name)
    const read =
      json.trim() === '' ? { calls: [{ arguments: {} }] } : readCalls(`{"name": "call", "arguments": ${json}\n}`)
    const given = 'calls' in read ? read.calls[0]?.arguments : undefined
    if (!isRecord(given)) malformed(`The arguments of ${name} are not a JSON object. Write the call again.`)
    else if (!ended && !isWhole(json) && !(/["}\]]\s*$/.test(json) && hasRequired(given, tool)))
      malformed(
        `The reply ended inside of the call of ${name}: it was not done. Write it again, shorter if it was too long.`,
      )
    else sink.push({ type: 'call', call: { name, arguments: unwrapped(given, tool) } })
  }

  function malformed(problem: string): void {
    sink.push({ type: 'malformed', text: json.trim(), problem })
  }

  return {
    push(chunk) {
      reader.push(chunk)
      return sink.take()
    },
    end() {
      reader.end()
      close(false)
      return sink.take()
    },
  }
}

function isWhole(json: string): boolean {
  try {
    JSON.parse(json)
    return true
  } catch {
    // Any error means that it is not.
    return false
  }
}
