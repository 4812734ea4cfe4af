/** The call that a reply of XML-like tags is making, argument by argument, until it is whole. */
import type { ToolSpec } from '../messages.ts'
import { hasRequired, readValue, schemaOf, unwrapped } from './arguments.ts'
import type { EventSink } from './events.ts'
import { readCalls } from './json-call.ts'
import type { XmlCalls } from './xml-calls.ts'

interface Call {
  readonly name: string
  readonly tool: ToolSpec | undefined
  readonly values: Record<string, unknown>
  problem: string | undefined
}

const cutShort = 'the reply ended inside of it. Write the whole call, shorter if it was too long.'

/** Tells the sink of calls that begin, of those that are whole, and of what is none. */
export function callMaker(sink: EventSink, tools: readonly ToolSpec[], calls: XmlCalls) {
  const toolOf = (name: string | undefined): ToolSpec | undefined => tools.find((tool) => tool.name === name)
  let call: Call | undefined

  function begin(name: string): void {
    call = { name, tool: toolOf(name), values: Object.create(null), problem: undefined }
    if (name === '') call.problem = 'it names no tool.'
    else sink.push({ type: 'call-start', name })
  }

  function argument(name: string, raw: string): void {
    if (call === undefined) return
    const text = calls.ownLines ? raw.replace(/^\r?\n/, '').replace(/\r?\n$/, '') : raw
    const read = readValue(text, 'unmarked', schemaOf(call.tool, name))
    if (Object.hasOwn(call.values, name)) call.problem ??= `the argument ${name} is given twice. Give it once.`
    else if ('problem' in read) call.problem ??= `the argument ${name} ${read.problem}.`
    else call.values[name] = read.value
  }

  function finish(): void {
    const done = call
    call = undefined
    if (done === undefined) return
    if (done.problem !== undefined)
      malformed(done.name, `The call of ${done.name === '' ? 'a tool' : done.name} was not done: ${done.problem}`)
    else sink.push({ type: 'call', call: { name: done.name, arguments: unwrapped({ ...done.values }, done.tool) } })
  }

  /** The call ends, or `inner`, which stood between its tags, is all there is of it: a name without arguments, or JSON. */
  function settle(inner: string, cut: boolean): void {
    if (call !== undefined) {
      finish()
      return
    }
    if (inner.trim() === '') return
    const [, name, object] = (calls.nameFirst && /^\s*([\w.:/-]+)\s*(\{[\s\S]*)?$/.exec(inner)) || []
    if (name === undefined) json(inner.trim())
    else if (object !== undefined) json(`{"name": ${JSON.stringify(name)}, "arguments": ${object}\n}`)
    else if (cut && !hasRequired({}, toolOf(name))) malformed(name, `The call of ${name} was not done: ${cutShort}`)
    else {
      begin(name)
      finish()
    }
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

  function malformed(text: string, problem: string): void {
    sink.push({ type: 'malformed', text, problem })
  }

  return {
    toolOf,
    begin,
    argument,
    finish,
    settle,
    get begun() {
      return call !== undefined
    },
    /** Begun, and nothing is missing that its tool must have. */
    get whole() {
      return call !== undefined && hasRequired(call.values, call.tool)
    },
    /** The reply ended within the call. */
    cut() {
      if (call !== undefined) call.problem = cutShort
    },
  }
}
