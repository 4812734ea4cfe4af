/** From what a model wrote to a call that can be run, or to a sentence that tells the model what to write. */
import type { ZodError } from 'zod'
import { type ToolSchema, toolSchema } from './schema.ts'
import { nearestNames } from './similar.ts'
import type { Effect, Tool, ToolFailureReason } from './types.ts'

export type ParsedCall =
  | { readonly ok: true; readonly tool: Tool; readonly input: unknown; readonly effects: readonly Effect[] }
  | {
      readonly ok: false
      readonly reason: Extract<ToolFailureReason, 'unknown-tool' | 'bad-arguments'>
      /** For the model: what is wrong and what is expected. */
      readonly problem: string
    }

/** Spellings of argument names that models bring from other agents. One counts only where the tool has the name it stands for. */
const aliases: Readonly<Record<string, string>> = {
  file_path: 'path',
  filePath: 'path',
  filepath: 'path',
  filename: 'path',
  file_name: 'path',
  file: 'path',
  directory: 'path',
  dir: 'path',
  folder: 'path',
  target_file: 'path',
  old_string: 'old',
  oldString: 'old',
  old_str: 'old',
  old_text: 'old',
  oldText: 'old',
  search: 'old',
  new_string: 'new',
  newString: 'new',
  new_str: 'new',
  new_text: 'new',
  newText: 'new',
  replacement: 'new',
  replace_all: 'all',
  replaceAll: 'all',
  diff: 'patch',
  patch_text: 'patch',
  patchText: 'patch',
  contents: 'content',
  file_text: 'content',
  text: 'content',
  start: 'from',
  start_line: 'from',
  startLine: 'from',
  offset: 'from',
  end: 'to',
  end_line: 'to',
  endLine: 'to',
  cmd: 'command',
  timeout_seconds: 'timeout',
  query: 'pattern',
  regex: 'pattern',
  include: 'glob',
}

/** Never throws. `given` is what stood where the arguments belong: anything at all. */
export function parseCall(tools: readonly Tool[], name: string, given: unknown): ParsedCall {
  const tool = tools.find((other) => other.name === name)
  if (!tool) return { ok: false, reason: 'unknown-tool', problem: unknownTool(tools, name) }
  const schema = toolSchema(tool)
  const values = asObject(given)
  if (!values) {
    return {
      ok: false,
      reason: 'bad-arguments',
      problem: `${name} takes a JSON object with ${describeArguments(schema)}.`,
    }
  }
  const parsed = tool.input.safeParse(coerce(schema, rename(schema, values)))
  if (!parsed.success) return { ok: false, reason: 'bad-arguments', problem: sentence(name, schema, parsed.error) }
  return { ok: true, tool, input: parsed.data, effects: tool.effects(parsed.data) }
}

function unknownTool(tools: readonly Tool[], name: string): string {
  const names = tools.map((tool) => tool.name)
  const [nearest] = nearestNames(name, names)
  const shown = JSON.stringify(name.slice(0, 60))
  return `There is no tool ${shown}.${nearest ? ` Did you mean ${nearest}?` : ''} The tools are: ${names.join(', ')}.`
}

type Values = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Some models send the arguments as a JSON text inside the JSON. */
function asObject(given: unknown): Values | undefined {
  if (isObject(given)) return given
  if (given === undefined || given === null) return {}
  if (typeof given !== 'string') return undefined
  try {
    const parsed: unknown = JSON.parse(given)
    return isObject(parsed) ? parsed : undefined
  } catch {
    // Not JSON: the caller tells the model so.
    return undefined
  }
}

function rename(schema: ToolSchema, values: Values): Map<string, unknown> {
  const known = (key: string): boolean => Object.hasOwn(schema.properties, key)
  const renamed = new Map(Object.entries(values).filter(([key]) => known(key)))
  for (const [key, value] of Object.entries(values)) {
    const target = Object.hasOwn(aliases, key) ? aliases[key]! : key
    if (!known(key) && known(target) && !renamed.has(target)) renamed.set(target, value)
  }
  return renamed
}

/** Numbers and truth values that came as text; `null` for what was left out. */
function coerce(schema: ToolSchema, values: ReadonlyMap<string, unknown>): Values {
  const coerced = Object.create(null) as Record<string, unknown>
  for (const [key, value] of values) {
    const type = schema.properties[key]?.type
    if (value === null && !schema.required?.includes(key)) continue
    coerced[key] = typeof value === 'string' ? coerceText(value, type) : value
  }
  return coerced
}

function coerceText(value: string, type: string | undefined): unknown {
  if ((type === 'integer' || type === 'number') && /^\s*-?\d+(?:\.\d+)?\s*$/.test(value)) return Number(value)
  if (type === 'boolean' && /^(?:true|false)$/i.test(value)) return value.toLowerCase() === 'true'
  return value
}

const describeArguments = (schema: ToolSchema): string =>
  Object.keys(schema.properties)
    .map((key) => (schema.required?.includes(key) ? key : `${key} (optional)`))
    .join(', ')

/** The first thing that is wrong, in a few words. */
function sentence(name: string, schema: ToolSchema, error: ZodError): string {
  const issue = error.issues[0]!
  const key = issue.path[0]
  if (key === undefined) return `${issue.message}.`
  const expected = schema.properties[String(key)]?.type ?? 'another value'
  if (issue.code === 'invalid_value')
    return `${name}: argument ${String(key)} must be one of: ${issue.values.join(', ')}.`
  const missing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined')
  const what = missing ? `is missing (${expected})` : `must be of type ${expected}`
  return `${name}: argument ${String(key)} ${what}. It takes ${describeArguments(schema)}.`
}
