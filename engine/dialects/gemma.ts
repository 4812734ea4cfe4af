/**
 * `gemma`: Gemma 4, whose results stand in the model's own turn, right after the calls. Checked against the published
 * template; that one puts the words of a reply after its results, which a session that only grows cannot do: they stand
 * before the calls, as the model says them.
 */
import type { Dialect, Piece } from '../dialect.ts'
import type { AssistantMessage, JsonSchema, Message, ToolSpec } from '../messages.ts'
import { isRecord } from './arguments.ts'
import { trusted, untrusted } from './chatml.ts'
import type { Effort } from './effort.ts'
import { gemmaParser, gemmaTags } from './gemma-parser.ts'
import { fieldPieces, joined, quote, sorted, textPieces, valuePieces } from './gemma-values.ts'
import { gemmaCalls } from './grammar/gemma-calls.ts'
import { speller } from './pieces.ts'

const spell = speller([
  ...gemmaTags,
  '<bos>',
  '<|turn>',
  '<turn|>',
  '<|think|>',
  '<|tool>',
  '<tool|>',
  '<|tool_response>',
  '<tool_response|>',
  quote,
])

export function gemma(effort: Effort): Dialect {
  const thinking = effort !== 'off'
  return {
    name: 'gemma',
    // What ends a reply is written by `close`, and the opening of a result by what follows.
    stop: ['<turn|>', '<|turn>', '<|tool_response>', '<eos>'],
    marks: gemmaTags,
    encode(message, previous) {
      const first = previous === undefined ? begin(message, thinking) : []
      switch (message.role) {
        case 'system': {
          // The first one is opened by `begin`.
          const turn = previous === undefined ? [] : openTurn('system', previous)
          return [
            ...first,
            ...turn,
            untrusted(message.text.trim()),
            ...message.tools.flatMap(declaration),
            ...spell('<turn|>\n'),
          ]
        }
        case 'user':
          return [...first, ...openTurn('user', previous), untrusted(message.text.trim()), ...spell('<turn|>\n')]
        case 'tool':
          return [...first, ...result(message.name, message.text)]
        case 'assistant':
          return [...first, ...openModel(previous), ...assistant(message, thinking)]
        default:
          return message satisfies never
      }
    },
    open: (previous) => [
      ...openModel(previous),
      ...(previous.role === 'tool' || thinking ? [] : spell('<|channel>thought\n<channel|>')),
    ],
    close: (reply) => (reply.role === 'assistant' && reply.calls.length > 0 ? [] : [trusted('<turn|>')]),
    parser: gemmaParser,
    calls: gemmaCalls,
  }
}

function begin(message: Message, thinking: boolean): Piece[] {
  const system = message.role === 'system'
  return spell(
    `<bos>${system || thinking ? '<|turn>system\n' : ''}${thinking ? '<|think|>\n' : ''}${thinking && !system ? '<turn|>\n' : ''}`,
  )
}

/** An assistant's turn ends with its token; the newline after it comes with the next turn. Calls leave the turn open. */
function openTurn(role: string, previous: Message | undefined): Piece[] {
  const close = previous?.role !== 'assistant' ? '' : previous.calls.length === 0 ? '\n' : '<turn|>\n'
  return spell(`${close}<|turn>${role}\n`)
}

/** After a result the model goes on in its own turn. */
function openModel(previous: Message | undefined): Piece[] {
  return previous?.role === 'tool' ? [] : openTurn('model', previous)
}

function assistant({ reasoning, text, calls }: AssistantMessage, thinking: boolean): Piece[] {
  const pieces: Piece[] = []
  if (thinking && reasoning !== '' && calls.length > 0) {
    pieces.push(...spell('<|channel>thought\n'), untrusted(`${reasoning}\n`), trusted('<channel|>'))
  }
  pieces.push(untrusted(text.trim()))
  for (const { name, arguments: given } of calls) {
    pieces.push(
      ...spell('<|tool_call>call:'),
      untrusted(`${name}{`),
      ...fieldPieces(isRecord(given) ? given : {}),
      ...spell('}<tool_call|>'),
    )
  }
  return calls.length === 0 ? [...pieces, trusted('<turn|>')] : pieces
}

function result(name: string, text: string): Piece[] {
  return [
    ...spell('<|tool_response>response:'),
    untrusted(`${name}{value:`),
    ...textPieces(text),
    ...spell('}<tool_response|>'),
  ]
}

function declaration({ name, description, parameters }: ToolSpec): Piece[] {
  const { properties, required, type } = parameters
  return [
    ...spell('<|tool>declaration:'),
    untrusted(`${name}{description:`),
    ...textPieces(description),
    untrusted(',parameters:{'),
    ...(isRecord(properties) && Object.keys(properties).length > 0
      ? [untrusted('properties:{'), ...propertyPieces(properties), untrusted('},')]
      : []),
    ...(Array.isArray(required) && required.length > 0 ? [...requiredPieces(required), untrusted(',')] : []),
    ...(typeof type === 'string' ? [untrusted('type:'), ...textPieces(type.toUpperCase()), untrusted('}')] : []),
    ...spell('}<tool|>'),
  ]
}

function requiredPieces(required: readonly unknown[]): Piece[] {
  return [untrusted('required:['), ...joined(required.map((key) => textPieces(String(key)))), untrusted(']')]
}

const handled = new Set(['description', 'type', 'properties', 'required', 'nullable'])

function propertyPieces(properties: JsonSchema): Piece[] {
  const fields = sorted(properties).filter(([key]) => !handled.has(key))
  return joined(fields.map(([key, schema]) => [untrusted(`${key}:{`), ...fieldSchema(isRecord(schema) ? schema : {})]))
}

function fieldSchema(schema: JsonSchema): Piece[] {
  const type = typeof schema['type'] === 'string' ? schema['type'].toUpperCase() : ''
  const parts: Piece[][] = []
  if (typeof schema['description'] === 'string') {
    parts.push([untrusted('description:'), ...textPieces(schema['description'])])
  }
  if (type === 'STRING' && Array.isArray(schema['enum'])) {
    parts.push([untrusted('enum:'), ...valuePieces(schema['enum'])])
  }
  if (type === 'ARRAY' && isRecord(schema['items'])) parts.push(itemsPieces(schema['items']))
  if (schema['nullable'] === true) parts.push([untrusted('nullable:true')])
  if (type === 'OBJECT') {
    const inner = isRecord(schema['properties']) ? schema['properties'] : schema
    parts.push([untrusted('properties:{'), ...propertyPieces(inner), untrusted('}')])
    if (Array.isArray(schema['required'])) parts.push(requiredPieces(schema['required']))
  }
  parts.push([untrusted('type:'), ...textPieces(type), untrusted('}')])
  return joined(parts)
}

function itemsPieces(items: JsonSchema): Piece[] {
  const parts = sorted(items).map(([key, value]): Piece[] => {
    if (key === 'properties') {
      return [untrusted('properties:{'), ...(isRecord(value) ? propertyPieces(value) : []), untrusted('}')]
    }
    if (key === 'required' && Array.isArray(value)) return requiredPieces(value)
    if (key === 'type' && typeof value === 'string') return [untrusted('type:'), ...textPieces(value.toUpperCase())]
    return [untrusted(`${key}:`), ...valuePieces(value)]
  })
  return [untrusted('items:{'), ...joined(parts), untrusted('}')]
}
