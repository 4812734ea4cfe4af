/**
 * `qwen-xml` (Qwen3.5 and Qwen3.6) and `qwen-xml-coder` (Qwen3-Coder): ChatML with calls as
 * `<function=NAME><parameter=KEY>` in `<tool_call>`. Checked byte for byte against the published templates. Earlier
 * reasoning is kept, as Qwen3.6 was trained for ("preserve thinking") and as a session that only grows wants it.
 */
import type { Dialect, Piece } from '../dialect.ts'
import type { AssistantMessage, JsonSchema, Message, SystemMessage, ToolSpec } from '../messages.ts'
import { isRecord } from './arguments.ts'
import { chatmlStop, openTurn, trusted, untrusted } from './chatml.ts'
import type { Effort } from './effort.ts'
import { qwenXmlCalls } from './grammar/tag-calls.ts'
import { pythonJson } from './json-text.ts'
import { speller } from './pieces.ts'
import type { XmlCalls } from './xml-calls.ts'
import { xmlParser } from './xml-parser.ts'

const specials = [
  '<|im_start|>',
  '<|im_end|>',
  '<tool_call>',
  '</tool_call>',
  '<tool_response>',
  '</tool_response>',
  '<think>',
  '</think>',
]
const spell = speller(specials)

const pattern = /^<(\/?)(tool_call|think|function|parameter)(?:=([^<>\n]{0,200}))?>$/
const begun = /^<\/?(?:(?:function|parameter)=[^<>\n]{0,200}|[a-z_]*)$/
const words = ['tool_call', 'think', 'function', 'parameter']

const xml: XmlCalls = {
  ownLines: true,
  nameFirst: false,
  grammar: {
    first: '<',
    look(text) {
      const [, close, word, name] = pattern.exec(text) ?? []
      if (word !== undefined) {
        const named = (word === 'function' || word === 'parameter') && close === ''
        return named === (name !== undefined) ? 'whole' : 'none'
      }
      if (!begun.test(text)) return 'none'
      const word2 = /[a-z_]*/.exec(text.replace(/^<\/?/, ''))?.[0] ?? ''
      return words.some((known) => known.startsWith(word2)) ? 'more' : 'none'
    },
  },
  role(tag) {
    const [, slash, word, name] = pattern.exec(tag) ?? []
    const close = slash === '/'
    if (word === 'think') return { type: 'think', close }
    if (word === 'tool_call') return { type: 'call', close }
    const type = word === 'function' ? 'function' : 'value'
    return name === undefined ? { type, close } : { type, close, name: name.trim().replace(/^"(.*)"$/, '$1') }
  },
}

const example = (value: string): string =>
  `<tool_call>\n<function=example_function_name>\n<parameter=example_parameter_1>\nvalue_1\n</parameter>\n<parameter=example_parameter_2>\n${value}\n</parameter>\n</function>\n</tool_call>`

const reminderEnd =
  '- Required parameters MUST be specified\n' +
  '- You may provide optional reasoning for your function call in natural language BEFORE the function call, but NOT after\n' +
  '- If there is no function call available, answer the question like normal with your current knowledge and do not tell the user about function calls\n</IMPORTANT>'

/** A variant's ways of telling tools and of joining turns. */
interface Variant {
  readonly name: string
  readonly system: (message: SystemMessage) => Piece[]
  /** Around each result, in the user's turn that results share. */
  readonly result: (text: string, first: boolean) => Piece[]
  /** Between the words of a reply and its first call, which has one newline less where there are no words. */
  readonly assistant: (message: AssistantMessage, thinking: boolean) => Piece[]
  readonly thinks: boolean
}

function callPieces({ name, arguments: given }: AssistantMessage['calls'][number]): Piece[] {
  const pieces: Piece[] = [...spell('<tool_call>\n<function='), untrusted(`${name}>\n`)]
  for (const [key, value] of Object.entries(isRecord(given) ? given : {})) {
    pieces.push(untrusted(`<parameter=${key}>\n${written(value)}\n</parameter>\n`))
  }
  return [...pieces, ...spell('</function>\n</tool_call>')]
}

/** As the templates' `string` filter writes it: Python's words for what is no text, JSON for what has parts. */
function written(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'object' && value !== null) return pythonJson(value)
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return String(value)
}

const qwen36: Variant = {
  name: 'qwen-xml',
  thinks: true,
  system({ text, tools }) {
    if (tools.length === 0) return [untrusted(text.trim())]
    const after = text.trim() === '' ? [] : [untrusted(`\n\n${text.trim()}`)]
    return [
      ...spell('# Tools\n\nYou have access to the following functions:\n\n<tools>\n'),
      untrusted(
        tools
          .map(({ name, description, parameters }) =>
            pythonJson({ type: 'function', function: { name, description, parameters } }),
          )
          .join('\n'),
      ),
      ...spell(
        `\n</tools>\n\nIf you choose to call a function ONLY reply in the following format with NO suffix:\n\n${example(
          'This is the value for the second parameter\nthat can span\nmultiple lines',
        )}\n\n<IMPORTANT>\nReminder:\n- Function calls MUST follow the specified format: an inner <function=...></function> block must be nested within <tool_call></tool_call> XML tags\n${reminderEnd}`,
      ),
      ...after,
    ]
  },
  result: (text) => [...spell('\n<tool_response>\n'), untrusted(text.trim()), ...spell('\n</tool_response>')],
  assistant({ reasoning, text, calls }, thinking) {
    const said = text.trim()
    const thought =
      thinking || reasoning !== ''
        ? [...spell('<think>\n'), untrusted(reasoning.trim()), ...spell('\n</think>\n\n')]
        : []
    const pieces: Piece[] = [untrusted('\n'), ...thought, untrusted(said)]
    for (const [index, call] of calls.entries()) {
      pieces.push(untrusted(index > 0 ? '\n' : said === '' ? '' : '\n\n'), ...callPieces(call))
    }
    return pieces
  },
}

const coder: Variant = {
  name: 'qwen-xml-coder',
  thinks: false,
  system({ text, tools }) {
    if (tools.length === 0) return [untrusted(text)]
    return [
      untrusted(
        `${text}\n\n# Tools\n\nYou have access to the following tools:\n\n<tools>${tools.map(toolXml).join('')}\n</tools>`,
      ),
      ...spell(
        `\n\nIf you choose to call a tool ONLY reply in the following format with NO suffix:\n\n${example(
          'value_2',
        )}\n\n<IMPORTANT>\nReminder:\n- Function calls MUST follow the specified format: the tool calling block MUST begin with an opening <tool_call> tag and end with a closing </tool_call> tag.\n${reminderEnd}`,
      ),
    ]
  },
  result: (text, first) => [
    ...spell(`${first ? '\n' : ''}<tool_response>\n`),
    untrusted(text),
    ...spell('\n</tool_response>\n'),
  ],
  assistant({ text, calls }) {
    if (calls.length === 0) return [untrusted(`\n${text}`)]
    const said = text.trim()
    const pieces: Piece[] = said === '' ? [] : [untrusted(`\n${said}\n`)]
    for (const call of calls) pieces.push(untrusted('\n'), ...callPieces(call))
    return pieces
  },
}

/** Qwen3-Coder is told of tools in tags. */
function toolXml({ name, description, parameters }: ToolSpec): string {
  const properties = isRecord(parameters['properties']) ? parameters['properties'] : {}
  const fields = Object.entries(properties).map(([key, schema]) => {
    const field: JsonSchema = isRecord(schema) ? schema : {}
    const type = field['type'] === undefined ? '' : `\n<type>${pythonText(field['type'])}</type>`
    const about =
      typeof field['description'] === 'string' ? `\n<description>${field['description'].trim()}</description>` : ''
    return `\n<parameter>\n<name>${key}</name>${type}${about}${others(field, ['name', 'type', 'description'])}\n</parameter>`
  })
  return `\n<function>\n<name>${name}</name>\n<description>${description.trim()}</description>\n<parameters>${fields.join('')}${others(parameters, ['type', 'properties'])}\n</parameters>\n</function>`
}

function others(schema: JsonSchema, handled: readonly string[]): string {
  return Object.entries(schema)
    .filter(([key]) => !handled.includes(key))
    .map(([key, value]) => `\n<${key}>${written(value)}</${key}>`)
    .join('')
}

/** A list as Python prints it. */
function pythonText(value: unknown): string {
  return Array.isArray(value) ? `[${value.map((item) => `'${String(item)}'`).join(', ')}]` : String(value)
}

function dialectOf(variant: Variant, effort: Effort): Dialect {
  const thinking = variant.thinks && effort !== 'off'
  /** ChatML's own closing of a turn; Qwen3-Coder's results bring their newline along. */
  const turn = (role: 'system' | 'user' | 'assistant', previous: Message | undefined): Piece => openTurn(role, previous)
  return {
    name: variant.name,
    stop: chatmlStop,
    marks: specials.filter((text) => !text.startsWith('<|') && !text.includes('response')),
    encode(message, previous) {
      switch (message.role) {
        case 'system':
          return [turn('system', previous), untrusted('\n'), ...variant.system(message)]
        case 'user': {
          const text = variant.thinks ? message.text.trim() : message.text
          return [turn('user', previous), untrusted(`\n${text}`)]
        }
        case 'assistant':
          return [turn('assistant', previous), ...variant.assistant(message, thinking), trusted('<|im_end|>')]
        case 'tool': {
          const first = previous?.role !== 'tool'
          return [...(first ? [turn('user', previous)] : []), ...variant.result(message.text, first)]
        }
        default:
          return message satisfies never
      }
    },
    open: (previous) => [
      turn('assistant', previous),
      ...spell(!variant.thinks ? '\n' : thinking ? '\n<think>\n' : '\n<think>\n\n</think>\n\n'),
    ],
    close: () => [trusted('<|im_end|>')],
    parser: (options) => xmlParser(options, xml, thinking),
    calls: qwenXmlCalls,
  }
}

export const qwenXml = (effort: Effort): Dialect => dialectOf(qwen36, effort)
export const qwenXmlCoder: Dialect = dialectOf(coder, 'off')
