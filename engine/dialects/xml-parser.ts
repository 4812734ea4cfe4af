/**
 * Reads replies whose calls are XML-like tags around raw values (Qwen3-Coder and Qwen3.6, GLM), as they stream.
 *
 * Values know no escape, so a file that is written may hold the closing tags. A closing tag therefore counts only when a
 * tag that may follow it comes next, with nothing but whitespace between. Half a value is never a call.
 */
import type { ParserOptions, ReplyParser } from '../dialect.ts'
import type { ToolSpec } from '../messages.ts'
import { hasRequired, readValue, schemaOf, unwrapped } from './arguments.ts'
import { eventSink } from './events.ts'
import { readCalls } from './json-call.ts'
import { lineEnd } from './line-end.ts'
import { tagReader } from './tag-reader.ts'
import type { XmlCalls, XmlRole } from './xml-calls.ts'

interface Call {
  readonly name: string
  readonly tool: ToolSpec | undefined
  readonly values: Record<string, unknown>
  problem: string | undefined
}

type Place = 'reasoning' | 'text' | 'call' | 'key' | 'value' | 'closing'

const cutShort = 'the reply ended inside of it. Write the whole call, shorter if it was too long.'

/** `thinking`: the prompt ended with `<think>`, so the reply begins inside of it. */
export function xmlParser({ tools }: ParserOptions, calls: XmlCalls, thinking: boolean): ReplyParser {
  const sink = eventSink()
  const toolOf = (name: string | undefined): ToolSpec | undefined => tools.find((tool) => tool.name === name)
  const reader = tagReader(calls.grammar, { text, tag })
  let place: Place = thinking ? 'reasoning' : 'text'
  const line = lineEnd()
  let call: Call | undefined
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
    return role.type === 'call' || (role.type === 'function' && toolOf(role.name) !== undefined)
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
        if (call !== undefined) finish()
        if (!role.close) begin(role.name ?? '')
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
    const raw = value.join('')
    const name = key.trim()
    value = []
    if (call !== undefined) {
      const text = calls.ownLines ? raw.replace(/^\r?\n/, '').replace(/\r?\n$/, '') : raw
      const read = readValue(text, 'unmarked', schemaOf(call.tool, name))
      if (Object.hasOwn(call.values, name)) call.problem ??= `the argument ${name} is given twice. Give it once.`
      else if ('problem' in read) call.problem ??= `the argument ${name} ${read.problem}.`
      else call.values[name] = read.value
    }
    if (closed.type !== 'value') inCall(closed)
  }

  function beginByName(): void {
    if (call === undefined) begin(inner.trim())
  }

  function begin(name: string): void {
    inner = ''
    call = { name, tool: toolOf(name), values: Object.create(null), problem: undefined }
    if (name === '') call.problem = 'it names no tool.'
    else sink.push({ type: 'call-start', name })
  }

  function finish(): void {
    const done = call
    call = undefined
    inner = ''
    if (done === undefined) return
    if (done.problem !== undefined)
      malformed(done.name, `The call of ${done.name === '' ? 'a tool' : done.name} was not done: ${done.problem}`)
    else sink.push({ type: 'call', call: { name: done.name, arguments: unwrapped({ ...done.values }, done.tool) } })
  }

  /** What stands between the tags of a call is settled: arguments, a name without any, or JSON. */
  function settle(cut = false): void {
    if (call !== undefined) finish()
    else if (inner.trim() !== '') {
      const [, name, object] = (calls.nameFirst && /^\s*([\w.:/-]+)\s*(\{[\s\S]*)?$/.exec(inner)) || []
      if (name === undefined) json(inner.trim())
      else if (object !== undefined) json(`{"name": ${JSON.stringify(name)}, "arguments": ${object}\n}`)
      else if (cut && !hasRequired({}, toolOf(name))) malformed(name, `The call of ${name} was not done: ${cutShort}`)
      else {
        begin(name)
        finish()
      }
    }
    inner = ''
  }

  function json(written: string): void {
    const read = readCalls(written)
    if ('problem' in read) {
      malformed(written, read.problem)
      return
    }
    for (const found of read.calls) {
      sink.push({ type: 'call-start', name: found.name })
      sink.push({ type: 'call', call: found })
    }
  }

  function malformed(written: string, problem: string): void {
    sink.push({ type: 'malformed', text: written, problem })
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
        if (call !== undefined && hasRequired(call.values, call.tool)) finish()
      }
      const cut = call !== undefined && !(place === 'call' && hasRequired(call.values, call.tool))
      if (cut && call !== undefined) {
        call.problem = cutShort
      }
      if (place !== 'text' && place !== 'reasoning') settle(true)
      leave()
      return sink.take()
    },
  }
}
