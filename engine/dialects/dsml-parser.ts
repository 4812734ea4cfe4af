/**
 * Reads replies of the DeepSeek V3.2 and V4 families as they stream: reasoning, text, calls in DSML.
 *
 * Tolerant where models stray (each from a report, see the tests): a call that begins inside of an unclosed `<think>`
 * ends the reasoning; a block that is never closed, or closed by foreign XML, keeps the calls that are whole; stray
 * tags outside of a block are dropped; a `parameter` tag that names a tool is an `invoke`. Strict where a mistake would
 * do harm: half a value is never a call, and an argument given twice is none.
 */
import type { ParserOptions, ReplyParser } from '../dialect.ts'
import type { ToolSpec } from '../messages.ts'
import { hasRequired, objectIn, readValue, schemaOf, unwrapped, type Written } from './arguments.ts'
import { attribute, type DsmlTag, dsmlGrammar, readTag } from './dsml-tags.ts'
import { eventSink } from './events.ts'
import { readCalls } from './json-call.ts'
import { lineEnd } from './line-end.ts'
import { tagReader } from './tag-reader.ts'
import { wordsOrJson } from './words-or-json.ts'

interface Call {
  readonly name: string
  readonly tool: ToolSpec | undefined
  readonly values: Record<string, unknown>
  problem: string | undefined
  /** Opened by a parameter tag that names a tool, and so closed by one. */
  readonly odd: boolean
  /** As it was written, for messages. */
  written: string
  /** What of it stands outside of parameters: nothing but whitespace, or the arguments as JSON. */
  bare: string
}

interface Parameter {
  readonly name: string
  readonly written: Written
  readonly parts: string[]
}

type Place = 'reasoning' | 'text' | 'block' | 'invoke' | 'parameter'

const shape =
  'Write <｜DSML｜invoke name="TOOL"> with one <｜DSML｜parameter name="…" string="true|false"> for each argument.'

/** `thinking`: the prompt ended with `<think>`, so the reply begins inside of it. */
export function dsmlParser({ tools }: ParserOptions, thinking: boolean): ReplyParser {
  const sink = eventSink()
  const reader = tagReader(dsmlGrammar, { text, tag })
  let place: Place = thinking ? 'reasoning' : 'text'
  /** The current line of reasoning or text, its end: blocks begin on a line of their own. */
  const line = lineEnd()
  /** Whether the block was opened without the DSML token, so that its closing tags may lack it, too. */
  let plain = false
  let call: Call | undefined
  let parameter: Parameter | undefined
  /** What stands in a block outside of its calls: whitespace around words is dropped with the rest. */
  const beside = wordsOrJson(speak)

  function text(words: string): void {
    if (place === 'parameter') value(words)
    else if (place === 'reasoning' || place === 'text') speak(words)
    else if (call !== undefined) {
      call.written += words
      call.bare += words
    } else beside.add(words)
  }

  /** A model that fell back to JSON where tags are wanted. */
  function settleJson(): void {
    const written = beside.settle()
    if (written === undefined) return
    const read = readCalls(written)
    if ('problem' in read) sink.push({ type: 'malformed', text: written, problem: `${read.problem} Or: ${shape}` })
    else
      for (const found of read.calls) {
        sink.push({ type: 'call-start', name: found.name })
        sink.push({ type: 'call', call: found })
      }
  }

  function speak(words: string): void {
    if (place === 'reasoning') sink.think(words)
    else sink.say(words)
    line.add(words)
  }

  function tag(written: string): void {
    const read = readTag(written)
    if (read.kind === 'dsml') dsml(read, written)
    else if (place === 'parameter') value(written)
    else if (read.kind === 'think') think(read.close)
    // A stray control token of the turn's frame is dropped.
  }

  function think(close: boolean): void {
    if (place === 'reasoning' && close) place = 'text'
    else if (place === 'text' && !close && !sink.said) place = 'reasoning'
    line.clear()
  }

  function dsml(read: DsmlTag, written: string): void {
    if (place === 'parameter') inValue(read, written)
    else if (place === 'invoke') inInvoke(read, written)
    else if (place === 'block') inBlock(read, written)
    else outside(read, written)
  }

  function outside(read: DsmlTag, written: string): void {
    const quoted = line.quoted()
    const ownLine = line.blank()
    if (read.close) {
      // The end of a block that was none: dropped where it is the model's token, else somebody's XML.
      if (!read.marked || quoted) speak(written)
      return
    }
    const opens = read.name === 'block' || (read.name === 'invoke' && read.marked)
    if (!opens || quoted || !(read.marked ? ownLine || place === 'text' : ownLine)) {
      speak(written)
      return
    }
    place = 'block'
    plain = !read.marked
    if (read.name === 'invoke') inBlock(read, written)
  }

  function inBlock(read: DsmlTag, written: string): void {
    settleJson()
    if (read.close) {
      if (read.name === 'block') leave()
      return
    }
    const name = attribute(read.attributes, 'name')?.trim()
    const toolName = tools.some((tool) => tool.name === name)
    if (read.name === 'invoke' || (read.name === 'parameter' && toolName)) {
      begin(name ?? '', written, read.name === 'parameter')
    } else if (read.name === 'parameter') {
      const problem = `A parameter stands outside of an invoke. ${shape}`
      sink.push({ type: 'malformed', text: written, problem })
    }
  }

  function inInvoke(read: DsmlTag, written: string): void {
    if (call === undefined) return
    call.written += written
    if (read.close) {
      if (read.name !== 'parameter' || call.odd) finish()
      if (read.name === 'block') leave()
      return
    }
    const name = attribute(read.attributes, 'name')
    if (read.name === 'parameter') {
      const string = attribute(read.attributes, 'string')?.toLowerCase()
      const written = string === 'true' ? 'text' : string === 'false' ? 'json' : 'unmarked'
      if (name === undefined) call.problem ??= `a parameter has no name. ${shape}`
      parameter = { name: name ?? '', written, parts: [] }
      place = 'parameter'
    } else {
      // Another call, or block, begins before this one was closed.
      finish()
      if (read.name === 'invoke') begin(name ?? '', written)
    }
  }

  function inValue(read: DsmlTag, written: string): void {
    const closes = read.close && (read.marked || (plain && read.name === 'parameter'))
    if (!closes) {
      value(written)
      return
    }
    settleParameter()
    if (read.name !== 'parameter') inInvoke(read, written)
    else if (call !== undefined) call.written += written
  }

  function value(words: string): void {
    parameter?.parts.push(words)
    sink.push({ type: 'call-delta', text: words })
  }

  function begin(name: string, written: string, odd = false): void {
    call = {
      name,
      tool: tools.find((tool) => tool.name === name),
      values: Object.create(null),
      problem: undefined,
      odd,
      written,
      bare: '',
    }
    if (name === '') call.problem = `the invoke has no name. ${shape}`
    else sink.push({ type: 'call-start', name })
    place = 'invoke'
  }

  function settleParameter(): void {
    place = 'invoke'
    if (call === undefined || parameter === undefined) return
    const { name, written, parts } = parameter
    parameter = undefined
    const raw = parts.join('')
    call.written += raw
    const read = readValue(raw, written, schemaOf(call.tool, name))
    if (Object.hasOwn(call.values, name)) call.problem ??= `the parameter ${name} is given twice. Give it once.`
    else if ('problem' in read) call.problem ??= `the parameter ${name} ${read.problem}.`
    else call.values[name] = read.value
  }

  function finish(): void {
    const done = call
    call = undefined
    place = 'block'
    if (done === undefined) return
    if (done.problem !== undefined) {
      const problem = `The call of ${done.name === '' ? 'a tool' : done.name} was not done: ${done.problem}`
      sink.push({ type: 'malformed', text: done.written, problem })
      return
    }
    const given = Object.keys(done.values).length === 0 ? objectIn(done.bare) : undefined
    const values = given ?? unwrapped({ ...done.values }, done.tool)
    sink.push({ type: 'call', call: { name: done.name, arguments: values } })
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
      if (call !== undefined) {
        // Without its end a call is believed only when nothing can be missing.
        if (place === 'parameter') call.written += parameter?.parts.join('') ?? ''
        if (place === 'parameter' || !hasRequired(call.values, call.tool)) {
          call.problem = 'the reply ended inside of it. Write the whole call, shorter if it was too long.'
        }
        finish()
      }
      settleJson()
      leave()
      return sink.take()
    },
  }
}
