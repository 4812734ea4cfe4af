/**
 * Renders our own conversations with the published chat templates, for the dialects' tests:
 * `CACHALOT_TEMPLATES=<llama.cpp>/models/templates node scripts/render-dialects.ts`. Only the results are committed.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Template } from '@huggingface/jinja'
import type { AssistantMessage, Message, ToolSpec } from '../engine/index.ts'

interface Published {
  readonly dialect: string
  readonly template: string
  readonly effort?: string
  readonly variables?: Readonly<Record<string, unknown>>
  /** The words for reasoning in the template's messages. */
  readonly reasoning?: string
  /** What we leave out on purpose, cut from the rendered text. */
  readonly without?: RegExp
  /**
   * Where the template writes truth values by the `string` filter, which is Python's `True` in the Jinja that the models
   * were trained with, and `true` in the library used here.
   */
  readonly pythonTruth?: 'arguments' | 'everywhere'
  /** Which conversations; all where not given. */
  readonly only?: readonly string[]
}

const date = /Current date: .*\n/

const published: readonly Published[] = [
  {
    dialect: 'deepseek-v4',
    template: 'deepseek-ai-DeepSeek-V4-Flash-0731',
    effort: 'max',
    variables: { thinking: true, reasoning_effort: 'max', bos_token: '<｜begin▁of▁sentence｜>' },
  },
  {
    dialect: 'deepseek-v4-preview',
    template: 'deepseek-ai-DeepSeek-V4',
    effort: 'max',
    variables: { thinking: true, reasoning_effort: 'max', bos_token: '<｜begin▁of▁sentence｜>' },
  },
  {
    dialect: 'deepseek-v3.2',
    template: 'deepseek-ai-DeepSeek-V3.2',
    variables: { thinking: true, bos_token: '<｜begin▁of▁sentence｜>' },
    // That template drops earlier reasoning, which a session that only grows keeps.
    only: ['plain', 'tools', 'calls'],
  },
  { dialect: 'qwen-xml', template: 'Qwen3.5-4B', pythonTruth: 'arguments', only: ['plain', 'tools', 'calls'] },
  {
    dialect: 'qwen-xml',
    template: 'Qwen3.5-4B',
    effort: 'off',
    variables: { enable_thinking: false },
    only: ['plain', 'tools'],
  },
  { dialect: 'qwen-xml-coder', template: 'Qwen3-Coder', pythonTruth: 'everywhere' },
  { dialect: 'glm', template: 'GLM-4.7-Flash', variables: { clear_thinking: false } },
  {
    dialect: 'glm',
    template: 'GLM-4.7-Flash',
    effort: 'off',
    variables: { enable_thinking: false },
    only: ['plain', 'tools'],
  },
  {
    dialect: 'harmony',
    template: 'openai-gpt-oss-120b',
    effort: 'low',
    reasoning: 'thinking',
    variables: { reasoning_effort: 'low' },
    without: date,
    only: ['plain', 'tools', 'one call'],
  },
  {
    dialect: 'gemma',
    template: 'google-gemma-4-31B-it',
    variables: { enable_thinking: true, bos_token: '<bos>' },
    only: ['plain', 'tools', 'calls', 'one call'],
  },
  {
    dialect: 'gemma',
    template: 'google-gemma-4-31B-it',
    effort: 'off',
    variables: { bos_token: '<bos>' },
    only: ['plain', 'tools'],
  },
]

const tools: readonly ToolSpec[] = [
  {
    name: 'read',
    description: 'Reads a file. "Quoted" <b>ünï</b>.',
    parameters: {
      type: 'object',
      properties: {
        path: { type: 'string', description: 'relative' },
        from: { type: 'integer' },
        kinds: { type: 'array', items: { type: 'string' } },
        how: { type: 'string', enum: ['raw', 'lines'] },
      },
      required: ['path'],
      additionalProperties: false,
    },
  },
  {
    name: 'shell',
    description: 'Runs a command.',
    parameters: {
      type: 'object',
      properties: { command: { type: 'string' }, wait: { type: 'boolean', description: 'whether to wait' } },
      required: ['command'],
    },
  },
]

const system = (withTools: readonly ToolSpec[]): Message => ({ role: 'system', text: 'You code.', tools: withTools })
const user = (text: string): Message => ({ role: 'user', text })
const result = (callId: string, name: string, text: string): Message => ({ role: 'tool', callId, name, text, ok: true })
const reply = (reasoning: string, text: string, calls: AssistantMessage['calls'] = []): Message => ({
  role: 'assistant',
  reasoning,
  text,
  calls,
})

const readCall = { id: 'call_1', name: 'read', arguments: { from: 5, path: 'a b.py' } }
const shellCall = { id: 'call_2', name: 'shell', arguments: { command: 'ls -l "x" | tail\necho <&>', wait: true } }

const conversations: Readonly<Record<string, readonly Message[]>> = {
  plain: [system([]), user('Hi')],
  tools: [system(tools), user('Look at <main>\nand "b"')],
  calls: [
    system(tools),
    user('Go'),
    reply('Look at both.', '', [readCall, shellCall]),
    result('call_1', 'read', 'def f():\n    return "ü"'),
    result('call_2', 'shell', '1 failed'),
  ],
  'one call': [system(tools), user('Go'), reply('Look.', '', [readCall]), result('call_1', 'read', 'x = "1"\ty')],
  answers: [
    system(tools),
    user('Go'),
    reply('Look.', 'I look.', [readCall]),
    result('call_1', 'read', 'x'),
    reply('Seen.', 'It is x.'),
    user('And now?'),
  ],
}

function asPython(value: unknown): unknown {
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asPython(item)]))
}

function toPublished(messages: readonly Message[], reasoning: string, pythonTruth: boolean): unknown[] {
  return messages.map((message) => {
    switch (message.role) {
      case 'system':
      case 'user':
        return { role: message.role, content: message.text }
      case 'tool':
        return { role: 'tool', tool_call_id: message.callId, name: message.name, content: message.text }
      case 'assistant':
        return {
          role: 'assistant',
          content: message.text,
          [reasoning]: message.reasoning,
          ...(message.calls.length === 0
            ? {}
            : {
                tool_calls: message.calls.map(({ id, name, arguments: given }) => ({
                  id,
                  type: 'function',
                  function: { name, arguments: pythonTruth ? asPython(given) : given },
                })),
              }),
        }
      default:
        return message satisfies never
    }
  })
}

const folder = process.env['CACHALOT_TEMPLATES']
if (folder === undefined) throw new Error('set CACHALOT_TEMPLATES to the folder of the published templates')

const cases = published.flatMap(({ dialect, template, effort, variables, reasoning, without, pythonTruth, only }) => {
  const compiled = new Template(readFileSync(join(folder, `${template}.jinja`), 'utf8'))
  return Object.entries(conversations)
    .filter(([name]) => only === undefined || only.includes(name))
    .map(([name, messages]) => {
      const first = messages[0]
      const specs = first?.role === 'system' ? first.tools : []
      const rendered = compiled.render({
        messages: toPublished(messages, reasoning ?? 'reasoning_content', pythonTruth !== undefined),
        ...(specs.length === 0
          ? {}
          : {
              tools: specs.map((spec) => ({
                type: 'function',
                function: pythonTruth === 'everywhere' ? asPython(spec) : spec,
              })),
            }),
        add_generation_prompt: true,
        ...variables,
      })
      return { dialect, effort, name, template, messages, rendered: rendered.replace(without ?? /(?!)/, '') }
    })
})
const file = new URL('../test/fixtures/dialects/rendered.json', import.meta.url)
const source = 'our own conversations, rendered with @huggingface/jinja from the templates in the sources of llama.cpp'
writeFileSync(file, `${JSON.stringify({ source, cases }, undefined, 1)}\n`)
