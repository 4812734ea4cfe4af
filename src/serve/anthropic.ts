/** Anthropic's messages (https://docs.anthropic.com/en/api/messages): the request. */
import * as z from 'zod'
import type { Message, ToolCall } from '../../engine/index.ts'
import { anthropicWriter } from './anthropic-reply.ts'
import { anthropicError, invalid } from './api-error.ts'
import { partText } from './chat.ts'
import { checkConversation, type ModelRequest, type Protocol, parseBody, toolOf } from './model-request.ts'

const block = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  id: z.string().optional(),
  name: z.string().optional(),
  input: z.unknown().optional(),
  tool_use_id: z.string().optional(),
  content: z.unknown().optional(),
  is_error: z.boolean().nullish(),
})
const content = z.union([z.string(), z.array(block)])

const anthropicBody = z.looseObject({
  model: z.string(),
  // Asked for by the protocol; not by the count of tokens, which has the same body.
  max_tokens: z.int().positive().optional(),
  system: content.optional(),
  messages: z.array(z.looseObject({ role: z.enum(['user', 'assistant']), content })),
  tools: z
    .array(
      z.looseObject({
        type: z.string().nullish(),
        name: z.string().min(1).max(128),
        description: z.string().optional(),
        input_schema: z.record(z.string(), z.unknown()).optional(),
      }),
    )
    .optional(),
  tool_choice: z.looseObject({ type: z.string() }).optional(),
  temperature: z.number().min(0).max(1).optional(),
  top_p: z.number().min(0).max(1).optional(),
  top_k: z.int().min(0).optional(),
  stop_sequences: z.array(z.string()).optional(),
  stream: z.boolean().optional(),
  metadata: z.looseObject({ user_id: z.string().nullish() }).nullish(),
})

export const anthropic: Protocol = {
  name: 'messages',
  path: '/v1/messages',
  error: anthropicError,
  errorEvent: (error) => ({ event: 'error', data: JSON.stringify(anthropicError(error)) }),
  ping: 'event: ping\ndata: {"type": "ping"}\n\n',
  parse(given): ModelRequest {
    const body = parseBody(anthropicBody, given)
    const choice = body.tool_choice?.type ?? 'auto'
    if (choice !== 'auto' && choice !== 'none') {
      throw invalid('tool_choice: only "auto" and "none" are possible; the model cannot be made to call a tool')
    }
    // Tools of the service's own have a type and no schema: nothing that a model here could call.
    const tools = (body.tools ?? []).filter(({ input_schema: schema }) => schema !== undefined)
    const read: Message[] = []
    for (const { role, content: words } of body.messages) {
      read.push(...(role === 'user' ? fromUser(words, read) : [fromModel(words)]))
    }
    checkConversation(read)
    return {
      model: body.model,
      system: body.system === undefined ? '' : textOf(body.system, '\n\n'),
      tools:
        choice === 'none'
          ? []
          : tools.map(({ name, description = '', input_schema: parameters = {} }) => ({
              name,
              description,
              parameters,
            })),
      messages: read,
      maxTokens: body.max_tokens,
      sampling: {
        ...(body.temperature !== undefined && { temperature: body.temperature }),
        ...(body.top_p !== undefined && { topP: body.top_p }),
        ...(body.top_k !== undefined && { topK: body.top_k }),
      },
      stop: (body.stop_sequences ?? []).filter((text) => text !== ''),
      logprobs: false,
      stream: body.stream === true,
      client: body.metadata?.user_id ?? undefined,
    }
  },
  writer: (request) => anthropicWriter(request),
}

type Words = z.infer<typeof content>

function fromUser(words: Words, before: readonly Message[]): Message[] {
  if (typeof words === 'string') return [{ role: 'user', text: words }]
  const results = words
    .filter(({ type }) => type === 'tool_result')
    .map((each): Message => {
      const id = each.tool_use_id ?? ''
      const text = textOf(parseBody(content.optional(), each.content) ?? '', '\n')
      return { role: 'tool', callId: id, name: toolOf(before, id), text, ok: each.is_error !== true }
    })
  const text = textOf(
    words.filter(({ type }) => type !== 'tool_result'),
    '\n',
  )
  return text === '' && results.length > 0 ? results : [...results, { role: 'user', text }]
}

function fromModel(words: Words): Message {
  if (typeof words === 'string') return { role: 'assistant', reasoning: '', text: words, calls: [] }
  const calls = words
    .filter(({ type }) => type === 'tool_use')
    .map(({ id = '', name = '', input }): ToolCall => ({ id, name, arguments: input ?? {} }))
  const said = words.filter(({ type }) => type !== 'tool_use' && !type.endsWith('thinking'))
  return { role: 'assistant', reasoning: '', text: textOf(said, ''), calls }
}

function textOf(words: Words, between: string): string {
  return typeof words === 'string' ? words : words.map((each) => partText(each)).join(between)
}
