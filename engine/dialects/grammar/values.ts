/** JSON values by their schema. */
import { isRecord } from '../arguments.ts'
import { literal, oneOf, type Rules } from './rules.ts'

/** Deeper schemas are any JSON: recursion over what others wrote must end. */
const deepest = 6

/** Some blanks, or a new line with its indentation: not endless, or a model could stay there. */
export const space = (rules: Rules): string => rules.rule('space', '[ \\t]{0,8} ("\\n" [ \\t]{0,24})?')

export const integer = '"-"? ("0" | [1-9] [0-9]{0,14})'
export const number = `${integer} ("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,2})?`

export const jsonString = (rules: Rules): string =>
  rules.rule(
    'string',
    '"\\"" ([^"\\\\\\x00-\\x1f\\x7f] | "\\\\" (["\\\\/bfnrt] | "u" [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F]))* "\\""',
  )

/** A value that the schema allows: names of types, lists of values, items, properties; its other words are not heeded. */
export function jsonValue(rules: Rules, schema: unknown, depth = 0): string {
  if (!isRecord(schema) || depth > deepest) return anyJson(rules)
  if ('const' in schema) return literal(JSON.stringify(schema['const']))
  const values = schema['enum']
  if (Array.isArray(values) && values.length > 0) return oneOf(values.map((value) => literal(JSON.stringify(value))))
  const variants = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(variants) && variants.length > 0) {
    return oneOf([...new Set(variants.map((variant) => jsonValue(rules, variant, depth + 1)))])
  }
  const { type } = schema
  if (Array.isArray(type) && type.length > 0) {
    return oneOf(type.map((one: unknown) => jsonValue(rules, { ...schema, type: one }, depth + 1)))
  }
  switch (type) {
    case 'string':
      return jsonString(rules)
    case 'integer':
      return rules.rule('integer', integer)
    case 'number':
      return rules.rule('number', number)
    case 'boolean':
      return '("true" | "false")'
    case 'null':
      return '"null"'
    case 'array':
      return listOf(rules, jsonValue(rules, schema['items'], depth + 1))
    case 'object':
      return objectOf(rules, schema, depth)
    default:
      return anyJson(rules)
  }
}

function listOf(rules: Rules, item: string): string {
  const gap = space(rules)
  return rules.rule('list', `"[" ${gap} (${item} (${gap} "," ${gap} ${item})*)? ${gap} "]"`)
}

function objectOf(rules: Rules, schema: Readonly<Record<string, unknown>>, depth: number): string {
  const properties = schema['properties']
  const gap = space(rules)
  if (!isRecord(properties) || Object.keys(properties).length === 0) {
    const other = schema['additionalProperties']
    const value = isRecord(other) ? jsonValue(rules, other, depth + 1) : anyJson(rules)
    return mapOf(rules, value)
  }
  const required = requiredOf(schema)
  const items = Object.entries(properties).map(([name, inner]) => ({
    said: `${literal(JSON.stringify(name))} ${gap} ":" ${gap} ${jsonValue(rules, inner, depth + 1)}`,
    required: required.has(name),
  }))
  return rules.rule('object', `"{" ${gap} ${inAnyOrder(rules, items, `${gap} "," ${gap}`)} ${gap} "}"`)
}

function mapOf(rules: Rules, value: string): string {
  const gap = space(rules)
  const pair = rules.rule('pair', `${jsonString(rules)} ${gap} ":" ${gap} ${value}`)
  return rules.rule('map', `"{" ${gap} (${pair} (${gap} "," ${gap} ${pair})*)? ${gap} "}"`)
}

function anyJson(rules: Rules): string {
  const body = (inner: string) => `${jsonString(rules)} | ${number} | "true" | "false" | "null" | ${inner}`
  // Three levels of unknown things: as much as a schema's author left open.
  let value = rules.rule('plain', body('"{}" | "[]"'))
  for (let level = 0; level < 3; level += 1) {
    value = rules.rule('any', body(`${listOf(rules, value)} | ${mapOf(rules, value)}`))
  }
  return value
}

export function requiredOf(schema: Readonly<Record<string, unknown>>): ReadonlySet<string> {
  const { required } = schema
  return new Set(Array.isArray(required) ? required.map(String) : [])
}

export interface Item {
  readonly said: string
  readonly required: boolean
}

/** Items in any order are followed by a rule for each set of those said: so many items at most. */
const mostFree = 5

/** Each item at most once and the required ones in any case, in any order where they are few, else in the one given. */
export function inAnyOrder(rules: Rules, items: readonly Item[], separator: string): string {
  if (items.length > mostFree) return inOrder(rules, items, separator)
  const after = (said: number): string => {
    const steps = items.flatMap((item, index) =>
      said & (1 << index) ? [] : [`${said === 0 ? '' : separator} ${item.said} ${after(said | (1 << index))}`],
    )
    const whole = items.every((item, index) => !item.required || said & (1 << index))
    return rules.rule('rest', [...steps, ...(whole ? ['""'] : [])].join(' | '))
  }
  return after(0)
}

/** The same in the order given. */
export function inOrder(rules: Rules, items: readonly Item[], separator: string): string {
  const after = (from: number, first: boolean): string => {
    const steps: string[] = []
    for (const [index, item] of items.entries()) {
      if (index < from) continue
      steps.push(`${first ? '' : separator} ${item.said} ${after(index + 1, false)}`)
      if (item.required) return rules.rule('rest', steps.join(' | '))
    }
    return rules.rule('rest', [...steps, '""'].join(' | '))
  }
  return after(0, true)
}
