/** Calls that a model wrote as JSON: `{"name": …, "arguments": {…}}` and its near misses. */
import { jsonrepair } from 'jsonrepair'
import { endsInString, jsonDepth } from './json-text.ts'

export interface WrittenCall {
  readonly name: string
  readonly arguments: unknown
}

export type ReadCalls =
  | { readonly calls: readonly WrittenCall[] }
  /** JSON was meant and cannot be read, or is no call; `problem` is for the model. */
  | { readonly problem: string }

const wanted = 'Write {"name": "<tool>", "arguments": {…}} as valid JSON.'

/**
 * Reads one text as one or several calls. Accepted besides the plain form: an array of calls, several objects in a
 * row, `parameters` or `args` for `arguments`, arguments as a JSON string, the OpenAI nesting in `function`, a
 * markdown fence around it, and slightly broken JSON (jsonrepair). Never completed: a text that ends inside a string,
 * because half a file must not be written.
 */
export function readCalls(text: string): ReadCalls {
  const json = withoutFence(text)
  if (json === '') return { problem: `The call is empty. ${wanted}` }
  const parsed = parseJson(json)
  if ('problem' in parsed) return parsed
  const values = Array.isArray(parsed.value) ? parsed.value : [parsed.value]
  const calls: WrittenCall[] = []
  for (const value of values) {
    const call = asCall(value)
    if (call === undefined) return { problem: `The JSON has no tool name with arguments. ${wanted}` }
    calls.push(call)
  }
  if (calls.length === 0) return { problem: `The call is empty. ${wanted}` }
  return { calls }
}

/**
 * Whether a JSON text outside a call tag is a call: both `name` and arguments are there and nothing else, so that a
 * `package.json` in a fence is none.
 */
export function readBareCalls(text: string): readonly WrittenCall[] | undefined {
  const json = withoutFence(text)
  if (!/"(?:name|function)"/.test(json) || !/"(?:arguments|parameters|args)"/.test(json)) return undefined
  const read = readCalls(json)
  return 'calls' in read && read.calls.every((call) => call.name !== '') ? read.calls : undefined
}

/** Whether a JSON text that cannot be read was meant as a call. */
export function looksLikeCall(text: string): boolean {
  return /"name"\s*:\s*"[\w.-]+"/.test(text) && /"(?:arguments|parameters|args)"\s*:/.test(text)
}

/** No tool takes anything so deep, and recursion over what a model wrote must end. */
const deepest = 64

function parseJson(json: string): { readonly value: unknown } | { readonly problem: string } {
  if (jsonDepth(json) > deepest) return { problem: `The JSON is nested too deeply. ${wanted}` }
  try {
    return { value: JSON.parse(json) }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    if (endsInString(json)) return { problem: `The JSON ends inside a string. ${wanted}` }
    try {
      return { value: JSON.parse(jsonrepair(json)) }
    } catch {
      // What the repair itself says is about its own guesses; the first error is about the text.
      return { problem: `The call is not valid JSON (${why.slice(0, 120)}). ${wanted}` }
    }
  }
}

function asCall(outer: unknown): WrittenCall | undefined {
  if (!isRecord(outer)) return undefined
  const value = isRecord(outer['function']) ? outer['function'] : outer
  const name = value['name'] ?? value['function'] ?? value['tool']
  if (typeof name !== 'string' || name.trim() === '') return undefined
  const given = value['arguments'] ?? value['parameters'] ?? value['args']
  if (typeof given === 'string') {
    const parsed = parseJson(given)
    return { name, arguments: 'value' in parsed && isRecord(parsed.value) ? parsed.value : given }
  }
  if (given === undefined || given === null) {
    // Flat: {"name": "read", "path": "…"}. Without anything else it is a call without arguments.
    const { name: _name, function: _function, tool: _tool, type: _type, id: _id, ...rest } = value
    return { name, arguments: rest }
  }
  return { name, arguments: given }
}

function withoutFence(text: string): string {
  const inner = /^\s*`{3,}[\w-]*\s*\n([\s\S]*?)\n?\s*`{3,}\s*$/.exec(text)?.[1]
  return (inner ?? text).trim()
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
