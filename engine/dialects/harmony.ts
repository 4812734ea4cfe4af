/**
 * `harmony`: the protocol of gpt-oss. Checked against its published template, but for the line with today's date, which
 * is left out: nothing volatile may stand in the prefix. Reasoning of a reply that calls a tool is kept, that of a final
 * answer is not told again (the format's own rule); sampled tokens stay as sampled.
 */
import type { Dialect, Piece } from '../dialect.ts'
import type { AssistantMessage, Message, SystemMessage } from '../messages.ts'
import { trusted, untrusted } from './chatml.ts'
import type { Effort } from './effort.ts'
import { harmonyCalls } from './grammar/json-calls.ts'
import { harmonyParser, harmonyTags } from './harmony-parser.ts'
import { toolNamespace } from './harmony-types.ts'
import { pythonJson } from './json-text.ts'
import { speller } from './pieces.ts'

const spell = speller(harmonyTags)

export function harmony(effort: Effort): Dialect {
  return {
    name: 'harmony',
    // A final answer ends with <|return|>, which the format wants replaced by <|end|>: `close` does.
    stop: ['<|return|>', '<|call|>', '<|endoftext|>'],
    marks: harmonyTags,
    encode(message, previous) {
      const first = previous === undefined ? begin(message, effort) : []
      switch (message.role) {
        case 'system':
          return [...first, ...developer(message)]
        case 'user':
          return [...first, ...spell('<|start|>user<|message|>'), untrusted(message.text), trusted('<|end|>')]
        case 'tool':
          return [
            ...first,
            ...spell('<|start|>functions.'),
            untrusted(`${message.name} to=assistant`),
            ...spell('<|channel|>commentary<|message|>'),
            untrusted(pythonJson(message.text)),
            trusted('<|end|>'),
          ]
        case 'assistant':
          return [...first, ...assistant(message)]
        default:
          return message satisfies never
      }
    },
    open: () => spell('<|start|>assistant'),
    close: (reply) => [trusted(endOf(reply))],
    parser: harmonyParser,
    calls: harmonyCalls,
  }
}

function begin(message: Message, effort: Effort): Piece[] {
  const tools = message.role === 'system' && message.tools.length > 0
  return spell(
    '<|start|>system<|message|>You are ChatGPT, a large language model trained by OpenAI.\nKnowledge cutoff: 2024-06\n\n' +
      `Reasoning: ${effort}\n\n# Valid channels: analysis, commentary, final. Channel must be included for every message.` +
      `${tools ? "\nCalls to these tools must go to the commentary channel: 'functions'." : ''}<|end|>`,
  )
}

function developer({ text, tools }: SystemMessage): Piece[] {
  if (text === '' && tools.length === 0) return []
  const instructions = text === '' ? '' : `# Instructions\n\n${text}\n\n`
  const namespace = tools.length === 0 ? '' : `# Tools\n\n${toolNamespace(tools)}`
  return [...spell('<|start|>developer<|message|>'), untrusted(instructions + namespace), trusted('<|end|>')]
}

function assistant({ reasoning, text, calls }: AssistantMessage): Piece[] {
  if (calls.length === 0) return [...said('final', text), trusted('<|end|>')]
  const pieces: Piece[] = []
  if (reasoning !== '') pieces.push(...said('analysis', reasoning), trusted('<|end|>'))
  if (text !== '') pieces.push(...said('commentary', text), trusted('<|end|>'))
  for (const call of calls) {
    pieces.push(
      ...spell('<|start|>assistant to='),
      untrusted(`functions.${call.name}`),
      ...spell('<|channel|>commentary json<|message|>'),
      untrusted(pythonJson(call.arguments)),
      trusted('<|call|>'),
    )
  }
  return pieces
}

function said(channel: string, text: string): Piece[] {
  return [...spell(`<|start|>assistant<|channel|>${channel}<|message|>`), untrusted(text)]
}

function endOf(reply: Message): string {
  return reply.role === 'assistant' && reply.calls.length > 0 ? '<|call|>' : '<|end|>'
}
