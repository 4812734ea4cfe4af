/** The grammar of calls that are written as JSON: `{"name": …, "arguments": {…}}`. */
import type { CallGrammar } from '../../dialect.ts'
import type { ToolSpec } from '../../messages.ts'
import { argumentsOf, canBeTold } from './arguments.ts'
import { type Around, heldFields, plainly } from './held.ts'
import { literal, newRules, oneOf, type Rules } from './rules.ts'
import { jsonValue, space } from './values.ts'

/** A tag in quotes is talked about, not used (qwen-parser.ts). */
const tag = '(?<!["\'`])<tool_call>'

/** Arguments as an object, by the tool's schema. */
export function jsonArguments(rules: Rules, tool: ToolSpec): string {
  const gap = space(rules)
  const { properties } = tool.parameters
  if (typeof properties !== 'object' || properties === null || Object.keys(properties).length === 0) {
    return jsonValue(rules, tool.parameters['additionalProperties'] === false ? {} : { type: 'object' })
  }
  const said = (name: string, schema: unknown) =>
    `${literal(JSON.stringify(name))} ${gap} ":" ${gap} ${jsonValue(rules, schema)}`
  return rules.rule('arguments', `"{" ${gap} ${argumentsOf(rules, tool, said, `${gap} "," ${gap}`)} ${gap} "}"`)
}

/** Where arguments stand in a JSON object. `before`: up to that object's brace, with a tool's name. */
export const aroundJson = (before: (tool: string) => string): Around => ({
  path: (tool) => `${before(tool)}\\{(?:\\s*|[^]*,\\s*)"path"\\s*:\\s*"`,
  edit: {
    path: `${before('edit')}\\{\\s*"path"\\s*:\\s*"`,
    old: `${before('edit')}\\{\\s*"path"\\s*:\\s*""\\s*,\\s*"old"\\s*:\\s*"`,
  },
  closes: '"',
  written: 'json',
})

/**
 * Calls in `<tool_call>` tags, and those in a fence or on a line of their own from their arguments on: before that it may be
 * any JSON. `holds`: whether paths and old texts are held to what is on disk.
 */
export function jsonCalls(tools: readonly ToolSpec[], { holds }: { readonly holds: boolean }): CallGrammar | undefined {
  if (!canBeTold(tools)) return undefined
  const rules = newRules()
  const gap = space(rules)
  const named = '"\\"name\\""'
  const calls = tools.map((tool) => {
    const given = jsonArguments(rules, tool)
    const name = JSON.stringify(tool.name)
    const before = `\\{\\s*"name"\\s*:\\s*${plainly(name)}\\s*,\\s*"arguments"\\s*:`
    return {
      tagged: `${literal(name)} ${gap} "," ${gap} "\\"arguments\\"" ${gap} ":" ${gap} ${given}`,
      triggers: [
        {
          after: `(?:^|\\n)[ \\t]*\`\`\`(?:json|jsonc|json5|tool_call|tool|tool_code)?[ \\t]*\\n\\s*${before}`,
          root: rules.rule('fenced', `${gap} ${given} ${gap} "}" [ \\t]{0,8} "\\n\`\`\`"`),
        },
        { after: `(?:^|\\n)[ \\t]*${before}`, root: rules.rule('bare', `${gap} ${given} ${gap} "}"`) },
      ],
    }
  })
  const call = `"{" ${gap} ${named} ${gap} ":" ${gap} ${oneOf(calls.map(({ tagged }) => tagged))} ${gap} "}"`
  const root = rules.rule('call', `${gap} ${call} ${gap} "</tool_call>"`)
  const triggers = [{ after: tag, root }, ...calls.flatMap(({ triggers }) => triggers)]
  const before = (tool: string) => `"name"\\s*:\\s*"${plainly(tool)}"\\s*,\\s*"arguments"\\s*:\\s*`
  return { gbnf: rules.gbnf, triggers, ...(holds && { fields: heldFields(tools, aroundJson(before)) }) }
}

/** gpt-oss: the tool's name and the rest of the header, then the arguments; the reply ends with the call. */
export function harmonyCalls(tools: readonly ToolSpec[]): CallGrammar | undefined {
  if (!canBeTold(tools)) return undefined
  const rules = newRules()
  const header = '("<|channel|>" ("commentary" | "analysis"))? (" "? "<|constrain|>json" | " json")? "<|message|>"'
  const calls = tools.map((tool) => `${literal(tool.name)} ${header} ${space(rules)} ${jsonArguments(rules, tool)}`)
  const before = (tool: string) => `to=functions\\.${plainly(tool)}[^\\w.][^]*<\\|message\\|>\\s*`
  const after = '(?:^|<\\|start\\|>assistant|<\\|channel\\|>(?:commentary|analysis|final)) ?to=functions\\.'
  return {
    gbnf: `${rules.gbnf}call ::= ${oneOf(calls)}\n`,
    triggers: [{ after, root: 'call', last: true }],
    fields: heldFields(tools, aroundJson(before)),
  }
}
