/** Where the readers of a fenced reply put what they find. */
import type { ParserOptions } from '../dialect.ts'
import type { ToolSpec } from '../messages.ts'
import { eventSink } from './events.ts'
import type { WrittenCall } from './json-call.ts'
import { type Orphanage, orphanage } from './orphans.ts'

export interface FencedOutput {
  readonly files: readonly string[]
  readonly orphans: Orphanage
  /** Tools besides write, edit and shell that take one text, with the name of its field. */
  readonly oneText: ReadonlyMap<string, string>
  offers(tool: string): boolean
  say(text: string): void
  /** A call begins; fences that were kept for other files become calls before it. */
  begin(name: string, path?: string): void
  /** The same for a fence that is only kept: nothing is settled by it. */
  beginKept(path: string): void
  delta(line: string): void
  emit(call: WrittenCall): void
  emitAll(calls: readonly WrittenCall[], text: string): void
  malformed(text: string, problem: string): void
  /** Whether there was a call or something malformed. */
  readonly answered: boolean
  readonly take: ReturnType<typeof eventSink>['take']
}

export function fencedOutput({ tools, files }: ParserOptions): FencedOutput {
  const sink = eventSink()
  const names = new Set(tools.map((tool) => tool.name))
  let answered = false
  const output: FencedOutput = {
    files,
    orphans: orphanage(),
    oneText: oneTextTools(tools),
    offers: (tool) => names.has(tool),
    say: sink.say,
    take: sink.take,
    get answered() {
      return answered
    },
    begin(name, path) {
      for (const call of output.orphans.settle(path)) output.emit(call)
      sink.push({ type: 'call-start', name, ...(path === undefined ? {} : { path }) })
    },
    beginKept: (path) => sink.push({ type: 'call-start', name: 'write', path }),
    delta: (line) => sink.push({ type: 'call-delta', text: `${line}\n` }),
    emit(call) {
      answered = true
      sink.push({ type: 'call', call })
    },
    emitAll(calls, text) {
      for (const [index, call] of calls.entries()) {
        output.begin(call.name)
        if (index === 0) sink.push({ type: 'call-delta', text })
        output.emit(call)
      }
    },
    malformed(text, problem) {
      answered = true
      sink.push({ type: 'malformed', text, problem })
    },
  }
  return output
}

/** A tool takes one text when it requires exactly one string, or requires nothing and has a string. */
export function oneTextTools(tools: readonly ToolSpec[]): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  for (const { name, parameters } of tools) {
    if (name === 'write' || name === 'edit' || name === 'shell') continue
    const properties = Object.entries(parameters['properties'] ?? {})
    const required: unknown = parameters['required']
    const needed = Array.isArray(required) ? required : []
    const strings = properties.filter(([, schema]) => isString(schema)).map(([key]) => key)
    const field = needed.length === 0 ? strings[0] : strings.find((key) => key === needed[0])
    if (field !== undefined && needed.length <= 1) fields.set(name, field)
  }
  return fields
}

function isString(schema: unknown): boolean {
  return typeof schema === 'object' && schema !== null && 'type' in schema && schema.type === 'string'
}
