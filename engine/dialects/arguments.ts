/** Values of arguments that a model wrote as text, read as what the tool's schema wants. */
import { jsonrepair } from 'jsonrepair'
import type { JsonSchema, ToolSpec } from '../messages.ts'
import { endsInString, jsonDepth } from './json-text.ts'

export type ReadValue = { readonly value: unknown } | { readonly problem: string }

/** How a value was marked by the model, where the dialect has marks. */
export type Written = 'text' | 'json' | 'unmarked'

/** No tool takes anything so deep, and recursion over what a model wrote must end. */
const deepest = 64

/**
 * Text stays text where the schema wants text, whatever the mark says. Where it wants something else, the text is read
 * as JSON. What fits neither is given as it stands: the tool's own schema refuses it with a better message.
 */
export function readValue(raw: string, written: Written, schema: JsonSchema | undefined): ReadValue {
  const types = typesOf(schema)
  const text = types.size === 0 || types.has('string')
  if (written === 'text' && text) return { value: raw }
  if (written === 'unmarked' && (types.has('string') || (types.size === 0 && !/^\s*[[{]/.test(raw)))) {
    return { value: raw }
  }
  const parsed = parse(raw)
  if (parsed === undefined) {
    if (written === 'json' && !types.has('string')) {
      return { problem: 'is marked as JSON and is not valid JSON' }
    }
    return { value: raw }
  }
  if (types.size > 0 && !types.has(typeOf(parsed.value)) && types.has('string')) return { value: raw }
  return parsed
}

/** The schema of one argument. */
export function schemaOf(tool: ToolSpec | undefined, name: string): JsonSchema | undefined {
  const properties = tool?.parameters['properties']
  return isRecord(properties) && Object.hasOwn(properties, name) && isRecord(properties[name])
    ? properties[name]
    : undefined
}

/**
 * Arguments that a model wrapped once more: one parameter `arguments` or `input` that holds the object, unless the tool
 * really has a parameter of that name.
 */
export function unwrapped(values: Readonly<Record<string, unknown>>, tool: ToolSpec | undefined): unknown {
  const [name, ...others] = Object.keys(values)
  if (name === undefined || others.length > 0 || tool === undefined) return values
  if (!['arguments', 'input', 'params', 'parameters', 'args'].includes(name)) return values
  if (schemaOf(tool, name) !== undefined) return values
  const inner = values[name]
  if (isRecord(inner)) return inner
  const parsed = typeof inner === 'string' ? parse(inner) : undefined
  return parsed !== undefined && isRecord(parsed.value) ? parsed.value : values
}

/** The arguments of a call that were written as one JSON object, and nothing else. */
export function objectIn(text: string): Record<string, unknown> | undefined {
  if (!text.trimStart().startsWith('{')) return undefined
  const parsed = parse(text.trim())
  return parsed !== undefined && isRecord(parsed.value) ? parsed.value : undefined
}

/** Whether every argument that the tool requires is there: only then is a call without its end believed. */
export function hasRequired(values: Readonly<Record<string, unknown>>, tool: ToolSpec | undefined): boolean {
  const required = tool?.parameters['required']
  return (
    tool !== undefined && (!Array.isArray(required) || required.every((name) => Object.hasOwn(values, String(name))))
  )
}

function parse(raw: string): { readonly value: unknown } | undefined {
  if (/^\s*(?:True|False|None)\s*$/.test(raw)) {
    const word = raw.trim()
    return { value: word === 'None' ? null : word === 'True' }
  }
  if (jsonDepth(raw) > deepest) return undefined
  try {
    return { value: JSON.parse(raw) }
  } catch {
    // Slightly broken JSON is repaired below; other text is no JSON.
  }
  if (!/^\s*[[{]/.test(raw) || endsInString(raw)) return undefined
  try {
    return { value: JSON.parse(jsonrepair(raw)) }
  } catch {
    // Beyond repair.
    return undefined
  }
}

/** The JSON types that a schema names; none when it does not say. */
function typesOf(schema: JsonSchema | undefined): ReadonlySet<string> {
  const types = new Set<string>()
  const visit = (at: unknown, depth: number): void => {
    if (!isRecord(at) || depth > 4) return
    const { type } = at
    for (const name of Array.isArray(type) ? type : [type]) if (typeof name === 'string') types.add(name)
    if (Array.isArray(at['enum'])) for (const value of at['enum']) types.add(typeOf(value))
    for (const key of ['anyOf', 'oneOf', 'allOf']) {
      const variants = at[key]
      if (Array.isArray(variants)) for (const variant of variants) visit(variant, depth + 1)
    }
  }
  visit(schema, 0)
  if (types.has('number')) types.add('integer')
  return types
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
