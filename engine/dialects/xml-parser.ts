/**
 * Reads replies whose calls are XML-like tags around raw values (Qwen3-Coder and Qwen3.6, GLM), as they stream.
 *
 * Values know no escape, so a file that is written may hold the closing tags. A closing tag therefore counts only when a
 * tag that may follow it comes next, with nothing but whitespace between. Half a value is never a call.
 */
import type { ParserOptions, ReplyParser } from '../dialect.ts'
import { eventSink } from './events.ts'
import { lineEnd } from './line-end.ts'
import { tagReader } from './tag-reader.ts'
import { callMaker } from './xml-call.ts'
import type { XmlCalls, XmlRole } from './xml-calls.ts'

type Place = 'reasoning' | 'text' | 'call' | 'key' | 'value' | 'closing'

/** `thinking`: the prompt ended with `<think>`, so the reply begins inside of it. */
export function xmlParser({ tools }: ParserOptions, calls: XmlCalls, thinking: boolean): ReplyParser {
  const sink = eventSink()
  const made = callMaker(sink, tools, calls)
  const reader = tagReader(calls.grammar, { text, tag })
  let place: Place = thinking ? 'reasoning' : 'text'
  const line = lineEnd()
  /** In a call, outside of values: the name, or JSON where a model falls back to it. */
  let inner = ''
  let key = ''
  let value: string[] = []
  /** A tag that may close a value, and what came after it. */
  let pending: { readonly role: XmlRole; text: string } | undefined

  function text(words: string): void {
    if (place === 'reasoning' || place === 'text') speak(words)
    else if (place === 'call') inner += words
    else if (place === 'key') key += words
    else if (place === 'value') add(words)
    else if (pending !== undefined) {
      pending.text += words
      if (words.trim() !== '') reopen()
    }
  }

  function speak(words: string): void {
    if (place === 'reasoning') sink.think(words)
    else sink.say(words)
    line.add(words)
  }

  function add(words: string): void {
    value.push(words)
    sink.push({ type: 'call-delta', text: words })
  }

  /** What seemed to close the value was part of it. */
  function reopen(): void {
    if (pending !== undefined) add(pending.text)
    pending = undefined
    place = 'value'
  }

  function tag(written: string): void {
    const role = calls.role(written)
    if (place === 'value') inValue(role, written)
    else if (place === 'closing') afterClose(role, written)
    else if (place === 'key') {
      if (role.type === 'key' && role.close) place = 'call'
      else key += written
    } else if (place === 'call') inCall(role)
    else outside(role, written)
  }

  function outside(role: XmlRole, written: string): void {
    const quoted = line.quoted()
    const ownLine = line.blank()
    if (role.type === 'think' && !quoted) {
      if (role.close) place = 'text'
      else if (place === 'text' && !sink.said) place = 'reasoning'
      else if (place === 'text') speak(written)
      line.clear()
    } else if (role.type === 'call' && role.close && place === 'text') line.clear()
    else if (opens(role) && !quoted && (place === 'text' || ownLine)) {
      place = 'call'
      inner = ''
      if (role.type === 'function') inCall(role)
    } else speak(written)
  }

  /** A function without the tag around it counts when it names a tool: the tag is what models forget. */
  function opens(role: XmlRole): boolean {
    if (role.close) return false
    return role.type === 'call' || (role.type === 'function' && made.toolOf(role.name) !== undefined)
  }

  function inCall(role: XmlRole): void {
    switch (role.type) {
      case 'think':
        return
      case 'call':
        settle()
        if (role.close) leave()
        return
      case 'function':
        if (made.begun || !role.close) inner = ''
        made.finish()
        if (!role.close) made.begin(role.name ?? '')
        return
      case 'key':
        if (role.close) return
        beginByName()
        key = ''
        place = 'key'
        return
      case 'value':
        if (role.close) return
        beginByName()
        if (role.name !== undefined) key = role.name
        value = []
        place = 'value'
        return
      default:
        role satisfies never
    }
  }

  function inValue(role: XmlRole, written: string): void {
    if (role.close && role.type !== 'think' && role.type !== 'key') {
      pending = { role, text: written }
      place = 'closing'
    } else add(written)
  }

  function afterClose(role: XmlRole, written: string): void {
    if (pending !== undefined && mayFollow(pending.role, role)) {
      closeValue(pending.role)
      inCall(role)
      return
    }
    reopen()
    inValue(role, written)
  }

  function mayFollow(closed: XmlRole, next: XmlRole): boolean {
    if (next.type === 'think') return false
    if (closed.type === 'value') return next.type !== 'value' || !next.close
    return next.type === 'call' && (closed.type === 'function' || !next.close)
  }

  function closeValue(closed: XmlRole): void {
    pending = undefined
    place = 'call'
    made.argument(key.trim(), value.join(''))
    value = []
    if (closed.type !== 'value') inCall(closed)
  }

  function beginByName(): void {
    if (!made.begun) made.begin(inner.trim())
    inner = ''
  }

  function settle(cut = false): void {
    made.settle(inner, cut)
    inner = ''
  }

  function leave(): void {
    place = 'text'
    line.clear()
  }

  return {
    push(chunk) {
      reader.push(chunk)
      return sink.take()
    },
    end() {
      reader.end()
      if (place === 'closing' && pending !== undefined) {
        closeValue(pending.role)
        if (made.whole) made.finish()
      }
      if (!(place === 'call' && made.whole)) made.cut()
      if (place !== 'text' && place !== 'reasoning') settle(true)
      leave()
      return sink.take()
    },
  }
}
