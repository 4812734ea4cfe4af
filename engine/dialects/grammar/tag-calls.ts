/** The grammars of calls whose arguments stand in tags, texts as they are: DSML, GLM's and Qwen's. */
import type { CallGrammar } from '../../dialect.ts'
import type { ToolSpec } from '../../messages.ts'
import { isRecord } from '../arguments.ts'
import { closeTag, type DsmlSpelling, openTag } from '../deepseek-words.ts'
import { argumentsOf, canBeTold } from './arguments.ts'
import { heldFields, plainly } from './held.ts'
import { literal, newRules, oneOf, type Rules } from './rules.ts'
import { until } from './until.ts'
import { jsonValue } from './values.ts'

const unquoted = (tag: string): string => `(?<!["'\`])${plainly(tag)}`

/** Whether a value is written as text: where its schema names no type, too. */
function isText(schema: unknown): boolean {
  if (!isRecord(schema)) return true
  const variants = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(variants)) return variants.some(isText)
  const values = schema['enum'] ?? ('const' in schema ? [schema['const']] : undefined)
  if (Array.isArray(values)) return values.every((value) => typeof value === 'string')
  const { type } = schema
  return type === undefined || type === 'string' || (Array.isArray(type) && type.includes('string'))
}

/** A text and what closes it; one of a list where the schema has one. */
function textUpTo(rules: Rules, schema: unknown, close: string, never: readonly string[], line = ''): string {
  const values = isRecord(schema) ? (schema['enum'] ?? ('const' in schema ? [schema['const']] : undefined)) : undefined
  if (Array.isArray(values)) return `${oneOf(values.map((value) => literal(`${value}${line}`)))} ${literal(close)}`
  return until(rules, close, never)
}

/** DeepSeek: one block with all the calls. */
export function dsmlCalls(tools: readonly ToolSpec[], spelling: DsmlSpelling): CallGrammar | undefined {
  if (!canBeTold(tools)) return undefined
  const rules = newRules()
  const [open, close] = [(name: string) => openTag(spelling, name), (name: string) => closeTag(spelling, name)]
  const parameter = (name: string, string: boolean) => `${open('parameter')} name="${name}" string="${string}">`
  const end = close('parameter')
  // Every closing tag with the token ends a value (dsml-parser.ts), in the spellings that it knows.
  const never = [close('invoke').slice(0, -1), close(spelling.block).slice(0, -1)]
  never.push('</|DSML', '</DSML', '</｜｜DSML', '</||DSML', '</｜DSML|', '</｜DSML｜｜')
  const said = (name: string, schema: unknown) =>
    isText(schema)
      ? `${literal(parameter(name, true))} ${textUpTo(rules, schema, end, never)} "\\n"`
      : `${literal(parameter(name, false))} ${jsonValue(rules, schema)} ${literal(`${end}\n`)}`
  const invoke = rules.rule(
    'invoke',
    oneOf(
      tools.map(
        (tool) =>
          `${literal(`${open('invoke')} name="${tool.name}">\n`)} ${argumentsOf(rules, tool, said, '')} "\\n"? ${literal(`${close('invoke')}\n`)}`,
      ),
    ),
  )
  const root = rules.rule('calls', `"\\n" ${invoke}+ ${literal(close(spelling.block))}`)
  const begun = (tool: string) => plainly(`${open('invoke')} name="${tool}">\n`)
  const path = plainly(parameter('path', true))
  return {
    gbnf: rules.gbnf,
    triggers: [{ after: unquoted(`${open(spelling.block)}>`), root }],
    fields: heldFields(tools, {
      path: (tool) => `${begun(tool)}(?:(?!${plainly(open('invoke'))})[^])*${path}`,
      edit: {
        path: `${begun('edit')}${path}`,
        old: `${begun('edit')}${path}${plainly(`${end}\n${parameter('old', true)}`)}`,
      },
      closes: end,
      written: 'plain',
    }),
  }
}

/** GLM: the tool's name, then keys and values. */
export function glmCalls(tools: readonly ToolSpec[]): CallGrammar | undefined {
  if (!canBeTold(tools)) return undefined
  const rules = newRules()
  const end = '</arg_value>'
  const said = (name: string, schema: unknown) => {
    const key = `${literal(`<arg_key>${name}</arg_key>`)} "\\n"? "<arg_value>"`
    const value = isText(schema)
      ? textUpTo(rules, schema, end, ['</tool_call>'])
      : `${jsonValue(rules, schema)} ${literal(end)}`
    return `${key} ${value} "\\n"?`
  }
  const calls = tools.map((tool) => `${literal(tool.name)} "\\n"? ${argumentsOf(rules, tool, said, '')}`)
  const root = rules.rule('call', `${oneOf(calls)} "</tool_call>"`)
  const key = (name: string) => `<arg_key>${name}<\\/arg_key>\\n?<arg_value>`
  return {
    gbnf: rules.gbnf,
    triggers: [{ after: unquoted('<tool_call>'), root }],
    fields: heldFields(tools, {
      path: (tool) => `<tool_call>${tool}\\n?<[^]*${key('path')}`,
      edit: {
        path: `<tool_call>edit\\n?${key('path')}`,
        old: `<tool_call>edit\\n?${key('path')}<\\/arg_value>\\n?${key('old')}`,
      },
      closes: end,
      written: 'plain',
    }),
  }
}

/** These models' templates write Python's words for some values. */
function pythonWords(schema: unknown): readonly string[] {
  const type = isRecord(schema) ? schema['type'] : undefined
  const has = (name: string) => (Array.isArray(type) ? type.includes(name) : type === name)
  return [...(has('boolean') ? ['"True"', '"False"'] : []), ...(has('null') ? ['"None"'] : [])]
}

/** Qwen3-Coder and Qwen3.6: values on lines of their own. The tag around a call is what these models forget. */
export function qwenXmlCalls(tools: readonly ToolSpec[]): CallGrammar | undefined {
  if (!canBeTold(tools)) return undefined
  const rules = newRules()
  const end = '</parameter>'
  const said = (name: string, schema: unknown) => {
    const value = isText(schema)
      ? textUpTo(rules, schema, end, ['</function>', '</tool_call>'], '\n')
      : `${oneOf([jsonValue(rules, schema), ...pythonWords(schema)])} ${literal(`\n${end}`)}`
    return `${literal(`<parameter=${name}>\n`)} ${value} "\\n"`
  }
  const calls = tools.map((tool) => `${literal(`${tool.name}>\n`)} ${argumentsOf(rules, tool, said, '')}`)
  const rest = rules.rule('function', `${oneOf(calls)} "</function>\\n</tool_call>"`)
  const root = rules.rule('call', `"\\n<function=" ${rest}`)
  return {
    gbnf: rules.gbnf,
    triggers: [
      { after: unquoted('<tool_call>'), root },
      { after: '(?:^|\\n)<function=', root: rest },
    ],
    fields: heldFields(tools, {
      path: (tool) => `<function=${tool}>\\n(?:(?!<function=)[^])*<parameter=path>\\n`,
      edit: {
        path: '<function=edit>\\n<parameter=path>\\n',
        old: '<function=edit>\\n<parameter=path>\\n\\n<\\/parameter>\\n<parameter=old>\\n',
      },
      closes: `\n${end}`,
      written: 'plain',
    }),
  }
}
