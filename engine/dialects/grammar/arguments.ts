/** The ways to give a tool's arguments. */
import type { ToolSpec } from '../../messages.ts'
import { isRecord } from '../arguments.ts'
import { oneOf, type Rules } from './rules.ts'
import { type Item, inAnyOrder, inOrder, requiredOf } from './values.ts'

interface Argument {
  readonly name: string
  readonly schema: unknown
  readonly required: boolean
}

interface Way {
  readonly list: readonly Argument[]
  /** Whether the order matters to us. */
  readonly ordered: boolean
}

/** Names that every dialect can write: no quotes, brackets or blanks. */
const plainName = /^[\w.$:/@-]{1,200}$/

/** Whether calls of all these tools can be told by a grammar. */
export function canBeTold(tools: readonly ToolSpec[]): boolean {
  return (
    tools.length > 0 &&
    tools.every(
      ({ name, parameters }) =>
        plainName.test(name) && Object.keys(propertiesOf(parameters)).every((key) => plainName.test(key)),
    )
  )
}

/** Whether a tool is the one that replaces a text of a file: `path` comes before `old` then, which can so be looked up. */
export function isEdit({ name, parameters }: ToolSpec): boolean {
  const properties = propertiesOf(parameters)
  return name === 'edit' && ['path', 'old', 'new'].every((key) => key in properties)
}

function waysOf(tool: ToolSpec, ordered: boolean): readonly Way[] {
  const required = requiredOf(tool.parameters)
  const all = Object.entries(propertiesOf(tool.parameters)).map(([name, schema]) => ({
    name,
    schema,
    required: required.has(name),
  }))
  if (!isEdit(tool)) return [{ list: all, ordered: false }]
  // Its schema has all of them optional, because a patch needs none of the others.
  const places = ['path', 'old', 'new', 'all']
  const list = places.flatMap((name) => all.filter((one) => one.name === name))
  const patch = all.filter(({ name }) => name === 'patch')
  const must = (list: readonly Argument[]) => list.map((one) => ({ ...one, required: one.name !== 'all' }))
  return [{ list: must(list), ordered }, ...(patch.length > 0 ? [{ list: must(patch), ordered }] : [])]
}

/** What stands between the marks around all arguments. `ordered`: whether `path` is to come before `old`. */
export function argumentsOf(
  rules: Rules,
  tool: ToolSpec,
  said: (name: string, schema: unknown) => string,
  separator: string,
  ordered = true,
): string {
  return oneOf(
    waysOf(tool, ordered).map((way) => {
      const items: Item[] = way.list.map(({ name, schema, required }) => ({ said: said(name, schema), required }))
      return way.ordered ? inOrder(rules, items, separator) : inAnyOrder(rules, items, separator)
    }),
  )
}

function propertiesOf(parameters: ToolSpec['parameters']): Readonly<Record<string, unknown>> {
  const { properties } = parameters
  return isRecord(properties) ? properties : {}
}
