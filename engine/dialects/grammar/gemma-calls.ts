/** The grammar of Gemma 4's calls: `call:NAME{key:value}`, texts between marks. */
import type { CallGrammar } from '../../dialect.ts'
import type { ToolSpec } from '../../messages.ts'
import { isRecord } from '../arguments.ts'
import { quote } from '../gemma-values.ts'
import { argumentsOf, canBeTold } from './arguments.ts'
import { heldFields, plainly } from './held.ts'
import { literal, newRules, oneOf, type Rules } from './rules.ts'
import { until } from './until.ts'
import { integer, number } from './values.ts'

/** Deeper schemas are texts: recursion over what others wrote must end. */
const deepest = 4

function value(rules: Rules, schema: unknown, depth: number): string {
  const text = `${literal(quote)} ${until(rules, quote)}`
  if (!isRecord(schema) || depth > deepest) return text
  const values = schema['enum'] ?? ('const' in schema ? [schema['const']] : undefined)
  if (Array.isArray(values)) {
    return oneOf(values.map((one) => literal(typeof one === 'string' ? `${quote}${one}${quote}` : String(one))))
  }
  const variants = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(variants)) return oneOf([...new Set(variants.map((one) => value(rules, one, depth + 1)))])
  const { type } = schema
  if (Array.isArray(type)) return oneOf(type.map((one: unknown) => value(rules, { ...schema, type: one }, depth + 1)))
  switch (type) {
    case 'integer':
      return rules.rule('integer', integer)
    case 'number':
      return rules.rule('number', number)
    case 'boolean':
      return '("true" | "false")'
    case 'null':
      return '"null"'
    case 'array': {
      const item = value(rules, schema['items'], depth + 1)
      return rules.rule('list', `"[" (${item} ("," ${item})*)? "]"`)
    }
    case 'object': {
      const properties = isRecord(schema['properties']) ? schema['properties'] : {}
      const inner: ToolSpec = { name: '', description: '', parameters: { ...schema, properties } }
      const said = (key: string, field: unknown) => `${literal(`${key}:`)} ${value(rules, field, depth + 1)}`
      return rules.rule('object', `"{" ${argumentsOf(rules, inner, said, '","', false)} "}"`)
    }
    default:
      return text
  }
}

/** Its templates sort the keys, so that `old` comes before `path`: only paths can be held to what is on disk. */
export function gemmaCalls(tools: readonly ToolSpec[]): CallGrammar | undefined {
  if (!canBeTold(tools)) return undefined
  const rules = newRules()
  const said = (name: string, schema: unknown) => `${literal(`${name}:`)} ${value(rules, schema, 0)}`
  const calls = tools.map((tool) => `${literal(`${tool.name}{`)} ${argumentsOf(rules, tool, said, '","', false)}`)
  const root = rules.rule('call', `"call:" ${oneOf(calls)} "}<tool_call|>"`)
  return {
    gbnf: rules.gbnf,
    triggers: [{ after: plainly('<|tool_call>'), root }],
    fields: heldFields(tools, {
      path: (tool) => `call:${tool}\\{(?:[^]*,)?path:${plainly(quote)}`,
      closes: quote,
      written: 'plain',
    }),
  }
}
