/**
 * Reads replies with Hermes-style calls, one character at a time, so that chunks make no difference.
 *
 * - `<tool_call>…</tool_call>` is a call. The closing tag counts outside of JSON strings and at the beginning of a
 *   line (a newline inside a JSON string is written `\n`), so that a file which contains the tag can be written.
 *   Another opening tag closes too. At the end of the reply a missing tag is forgiven when the JSON is whole.
 * - A fence (`json`, `tool_call`, no language) whose content is `{name, arguments}` is a call; other fences are text.
 * - A JSON object with name and arguments that begins a line is a call.
 * - What was meant as a call and cannot be read is `malformed`. Everything else is text.
 */
import type { ReplyParser } from '../dialect.ts'
import { eventSink } from './events.ts'
import { looksLikeCall, type ReadCalls, readBareCalls, readCalls } from './json-call.ts'
import { type JsonScanner, jsonScanner } from './json-text.ts'

const openTag = '<tool_call>'
const closeTag = '</tool_call>'
const fence = '```'
const specials = [openTag, closeTag, '</think>', fence]
const callFences = new Set(['', 'json', 'jsonc', 'json5', 'tool_call', 'tool', 'tool_code'])

type State = 'text' | 'fence-line' | 'fence' | 'call' | 'bare'

export function qwenParser(): ReplyParser {
  const sink = eventSink()
  let state: State = 'text'
  /** In `text`: what may become a tag. Elsewhere: everything since the state began. */
  let held = ''
  /** The text of the current line, to know its beginning. */
  let line = ''
  let scanner: JsonScanner = jsonScanner()
  let started = false
  /** In `call`: what is not shown yet, and the last characters (looked at for each one, so never the whole). */
  let unshown = ''
  let tail = ''

  function enter(next: State, first = ''): void {
    state = next
    held = ''
    scanner = jsonScanner()
    started = false
    unshown = ''
    tail = ''
    for (const character of first) steps[state](character)
  }

  function say(text: string): void {
    sink.say(text)
    const newline = text.lastIndexOf('\n')
    line = newline === -1 ? line + text : text.slice(newline + 1)
  }

  const steps: Readonly<Record<State, (character: string) => void>> = {
    text,
    'fence-line': fenceLine,
    fence: fenceContent,
    call,
    bare,
  }

  function text(character: string): void {
    if (held === '' && (character === '{' || character === '[') && line.trim() === '') {
      enter('bare', character)
      return
    }
    held += character
    while (held !== '' && !specials.some((special) => special.startsWith(held))) {
      say(held.slice(0, 1))
      held = held.slice(1)
    }
    if (held === openTag) {
      // A tag in quotes is talked about, not used.
      if (/["'`]$/.test(line)) flush()
      else enter('call')
    } else if (held === closeTag || held === '</think>') held = ''
    else if (held === fence) {
      if (line.trim() === '') enter('fence-line')
      else flush()
    }
  }

  function flush(): void {
    say(held)
    held = ''
  }

  function fenceLine(character: string): void {
    if (character !== '\n') {
      held += character
      return
    }
    const info = held
    if (callFences.has(info.trim().toLowerCase())) {
      enter('fence')
      held = `${fence}${info}\n`
    } else {
      enter('text')
      say(`${fence}${info}\n`)
    }
  }

  function fenceContent(character: string): void {
    held += character
    if (character === '\n' && held.slice(held.lastIndexOf('\n', held.length - 2) + 1).trim() === fence) settleFence()
  }

  function settleFence(): void {
    const whole = held
    const inner = whole
      .replace(/^[^\n]*\n/, '')
      .replace(/\n?[ \t]*```[ \t]*\n?$/, '')
      .trim()
    const tagged = inner.includes(openTag)
    const content = tagged ? inner.replaceAll(openTag, '').replaceAll(closeTag, '').trim() : inner
    const calls = tagged ? readCalls(content) : bareCalls(content)
    enter('text')
    if (calls === undefined) say(whole)
    else give(calls, content)
  }

  /** The calls in a JSON text without a tag; undefined when it was not meant as a call. */
  function bareCalls(content: string): ReadCalls | undefined {
    const calls = readBareCalls(content)
    if (calls !== undefined) return { calls }
    if (!looksLikeCall(content)) return undefined
    const read = readCalls(content)
    return 'problem' in read ? read : undefined
  }

  function give(read: ReadCalls, content: string): void {
    line = ''
    if ('problem' in read) {
      sink.push({ type: 'malformed', text: content, problem: read.problem })
      return
    }
    for (const [index, written] of read.calls.entries()) {
      if (index > 0 || !started) {
        sink.push({ type: 'call-start', name: written.name })
        if (index === 0) sink.push({ type: 'call-delta', text: content })
      }
      sink.push({ type: 'call', call: written })
    }
  }

  function call(character: string): void {
    held += character
    unshown += character
    tail = (tail + character).slice(-80)
    scanner.push(character)
    if (character === '"' && !started && held.length < 400) {
      const name = /^[\s[{]*"name"\s*:\s*"([^"\\]+)"$/.exec(held)?.[1]
      if (name !== undefined) {
        started = true
        sink.push({ type: 'call-start', name })
      }
    }
    if (character !== '>') return
    const closed = tail.endsWith(closeTag)
    if (!closed && !tail.endsWith(openTag)) return
    if (scanner.inString && !/\n[ \t]*<\/?tool_call>$/.test(tail)) return
    const tag = (closed ? closeTag : openTag).length
    unshown = unshown.slice(0, Math.max(0, unshown.length - tag))
    if (started) delta(unshown.length)
    give(readCalls(held.slice(0, -tag)), held.slice(0, -tag).trim())
    enter('text')
    if (!closed) enter('call')
  }

  /** Shows the arguments as they come. */
  function delta(length: number): void {
    if (length === 0) return
    sink.push({ type: 'call-delta', text: unshown.slice(0, length) })
    unshown = unshown.slice(length)
  }

  /** Without what may be the closing tag. */
  function safeLength(): number {
    const tag = unshown.lastIndexOf('<')
    const rest = unshown.slice(tag)
    return tag !== -1 && (closeTag.startsWith(rest) || openTag.startsWith(rest)) ? tag : unshown.length
  }

  function bare(character: string): void {
    held += character
    if (!scanner.push(character)) return
    const content = held
    const calls = bareCalls(content)
    enter('text')
    if (calls === undefined) say(content)
    else give(calls, content)
  }

  return {
    push(chunk) {
      for (const character of chunk) steps[state](character)
      if (state === 'call' && started) delta(safeLength())
      return sink.take()
    },
    end() {
      const content = held
      if (state === 'text') flush()
      else if (state === 'fence-line') say(fence + content)
      else if (state === 'fence') settleFence()
      else if (state === 'call') {
        const whole = wholeJson(content)
        if (started) delta(unshown.length)
        if (whole) give(readCalls(content), content.trim())
        else {
          sink.push({
            type: 'malformed',
            text: content.trim(),
            problem:
              'The reply ended inside a <tool_call>: nothing of it was done. Write the whole call, shorter if it was too long.',
          })
        }
      } else {
        const calls = bareCalls(content)
        if (calls === undefined) say(content)
        else give(calls, content)
      }
      enter('text')
      return sink.take()
    },
  }
}

/** Whether a text is complete JSON: an unclosed call is only believed then. */
function wholeJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    // Any error means that it is not.
    return false
  }
}
