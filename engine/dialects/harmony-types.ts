/** Tools as gpt-oss is told of them: a TypeScript namespace, spelled as its published chat template spells it. */
import type { ToolSpec } from '../messages.ts'
import { isRecord } from './arguments.ts'
import { pythonJson } from './json-text.ts'

type Schema = Readonly<Record<string, unknown>>

/** Deeper schemas are `any`: recursion over what others wrote must end. */
const deepest = 8

export function toolNamespace(tools: readonly ToolSpec[]): string {
  return `## functions\n\nnamespace functions {\n\n${tools.map(toolType).join('')}} // namespace functions`
}

function toolType({ name, description, parameters }: ToolSpec): string {
  const fields = Object.entries(record(parameters['properties']))
  const required = listOf(parameters['required'])
  const body = fields.map(([key, given]) => {
    const schema = record(given)
    const about = isText(schema['description']) ? `// ${schema['description']}\n` : ''
    return `${about}${key}${required.includes(key) ? '' : '?'}: ${typeOf(schema, 0)}${defaultOf(schema)},\n`
  })
  const type = fields.length === 0 ? '() => any' : `(_: {\n${body.join('')}}) => any`
  return `// ${description}\ntype ${name} = ${type};\n\n`
}

function defaultOf(schema: Schema): string {
  if (!('default' in schema)) return ''
  if (truthy(schema['enum'])) return `, // default: ${String(schema['default'])}`
  if (truthy(schema['oneOf'])) return `// default: ${String(schema['default'])}`
  return `, // default: ${pythonJson(schema['default'])}`
}

function typeOf(schema: Schema, depth: number): string {
  const { type } = schema
  if (depth > deepest) return 'any'
  if (type === 'array') return `${arrayOf(schema, depth)}${schema['nullable'] === true ? ' | null' : ''}`
  if (Array.isArray(type) && type.length > 0) return type.join(' | ')
  if (Array.isArray(schema['oneOf']) && schema['oneOf'].length > 0) return oneOf(schema['oneOf'].map(record), depth)
  switch (type) {
    case 'string': {
      const values = listOf(schema['enum'])
      if (values.length > 0) return `"${values.join('" | "')}"`
      return schema['nullable'] === true ? 'string | null' : 'string'
    }
    case 'number':
    case 'integer':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'object':
      return objectOf(schema, depth)
    default:
      return 'any'
  }
}

function arrayOf(schema: Schema, depth: number): string {
  const items = schema['items']
  if (!isRecord(items) || Object.keys(items).length === 0) return 'any[]'
  const inner = typeOf(items, depth + 1)
  if (['string', 'number', 'integer', 'boolean'].includes(String(items['type'])) && !truthy(items['enum'])) {
    return `${items['type'] === 'integer' ? 'number' : String(items['type'])}[]`
  }
  if (items['type'] === 'string') return 'string[]'
  return inner === 'object | object' || inner.length > 50 ? 'any[]' : `${inner}[]`
}

function oneOf(variants: readonly Schema[], depth: number): string {
  if (variants.length > 1 && variants.some((variant) => variant['type'] === 'object')) return 'any'
  return variants
    .map((variant) => {
      const about = truthy(variant['description']) ? `// ${String(variant['description'])}` : ''
      const usual = 'default' in variant ? `// default: ${pythonJson(variant['default'])}` : ''
      return `${typeOf(variant, depth + 1)}${about}${usual}`
    })
    .join(' | ')
}

function objectOf(schema: Schema, depth: number): string {
  const fields = Object.entries(record(schema['properties']))
  if (fields.length === 0) return 'object'
  const required = listOf(schema['required'])
  // The template indents nested fields by sixteen blanks, by accident; the model has seen them.
  const body = fields.map(
    ([key, given]) =>
      `${key}${required.includes(key) ? '' : '?'}: \n                ${typeOf(record(given), depth + 1)}`,
  )
  return `{\n${body.join(', ')}}`
}

function record(value: unknown): Schema {
  return isRecord(value) ? value : {}
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function truthy(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value)
}
