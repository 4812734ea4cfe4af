/** OpenAI's chat completions (https://platform.openai.com/docs/api-reference/chat): the request. */
import * as z from 'zod'
import type { Message, ToolSpec } from '../../engine/index.ts'
import { invalid, openaiError } from './api-error.ts'
import { chatWriter } from './chat-reply.ts'
import {
  checkConversation,
  type ModelRequest,
  type Protocol,
  parseArguments,
  parseBody,
  toolOf,
} from './model-request.ts'

const part = z.looseObject({ type: z.string(), text: z.string().optional() })
const content = z.union([z.string(), z.array(part)]).nullish()

const message = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content,
  tool_call_id: z.string().optional(),
  tool_calls: z
    .array(z.looseObject({ id: z.string(), function: z.looseObject({ name: z.string(), arguments: z.string() }) }))
    .nullish(),
})

/** A tool as chat completions have it. */
const tool = z.looseObject({
  type: z.literal('function', 'only tools of type "function" can be called'),
  function: z.looseObject({
    name: z.string().min(1).max(128),
    description: z.string().optional(),
    parameters: z.record(z.string(), z.unknown()).optional(),
  }),
})

const chatBody = z.looseObject({
  model: z.string(),
  messages: z.array(message),
  tools: z.array(tool).nullish(),
  tool_choice: z.unknown().optional(),
  max_tokens: z.int().positive().nullish(),
  max_completion_tokens: z.int().positive().nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  seed: z.int().nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().nullish(),
  n: z.int().nullish(),
  response_format: z.looseObject({ type: z.string() }).nullish(),
  user: z.string().nullish(),
})

export const chat: Protocol = {
  name: 'chat',
  path: '/v1/chat/completions',
  error: openaiError,
  errorEvent: (error) => ({ data: JSON.stringify(openaiError(error)) }),
  ping: ': reading\n\n',
  parse(given): ModelRequest {
    const body = parseBody(chatBody, given)
    if ((body.n ?? 1) !== 1) throw invalid('n: only one choice can be had; ask again for another')
    if ((body.top_logprobs ?? 0) > 0)
      throw invalid('top_logprobs: only that of the chosen token is known; leave it away')
    checkFormat(body.response_format?.type)
    const { system, rest } = split(body.messages)
    const messages = toMessages(rest)
    checkConversation(messages)
    return {
      model: body.model,
      system,
      tools: offered((body.tools ?? []).map(toTool), body.tool_choice),
      messages,
      maxTokens: body.max_completion_tokens ?? body.max_tokens ?? undefined,
      sampling: samplingOf(body),
      stop: stopsOf(body.stop),
      logprobs: body.logprobs === true,
      stream: body.stream === true,
      client: body.user ?? undefined,
    }
  },
  writer: (request, body) => chatWriter(request, wantsUsage(body)),
}

/** What of the sampling both of OpenAI's protocols can set. */
export function samplingOf(body: {
  temperature?: number | null | undefined
  top_p?: number | null | undefined
  seed?: number | null | undefined
}): ModelRequest['sampling'] {
  return {
    ...(typeof body.temperature === 'number' && { temperature: body.temperature }),
    ...(typeof body.top_p === 'number' && { topP: body.top_p }),
    ...(typeof body.seed === 'number' && { seed: body.seed >>> 0 }),
  }
}

/** Empty ones would end a reply before it begins. */
const stopsOf = (stop: string | readonly string[] | null | undefined): string[] =>
  (typeof stop === 'string' ? [stop] : [...(stop ?? [])]).filter((text) => text !== '')

/** Throws ApiError for a format that the sampler cannot hold the model to. */
export function checkFormat(type: string | undefined): void {
  if (type === undefined || type === 'text') return
  throw invalid(`a reply of the format "${type}" cannot be promised here; leave it away and ask for it in words`)
}

/** The tools that the choice leaves. Throws ApiError for a choice that nothing can hold the model to. */
export function offered(tools: readonly ToolSpec[], choice: unknown): readonly ToolSpec[] {
  if (choice === undefined || choice === null || choice === 'auto') return tools
  if (choice === 'none') return []
  throw invalid('tool_choice: only "auto" and "none" are possible; the model cannot be made to call a tool')
}

function toTool({ function: { name, description = '', parameters } }: z.infer<typeof tool>): ToolSpec {
  return { name, description, parameters: parameters ?? { type: 'object', properties: {} } }
}

type ChatMessage = z.infer<typeof message>

/** The first words of the system are its own message; later ones are words like any others. */
function split(messages: readonly ChatMessage[]): { system: string; rest: readonly ChatMessage[] } {
  const isSystem = ({ role }: ChatMessage): boolean => role === 'system' || role === 'developer'
  const end = messages.findIndex((each) => !isSystem(each))
  const first = end === -1 ? messages : messages.slice(0, end)
  return { system: first.map((each) => textOf(each.content)).join('\n\n'), rest: end === -1 ? [] : messages.slice(end) }
}

function toMessages(given: readonly ChatMessage[]): Message[] {
  const messages: Message[] = []
  for (const { role, content: words, tool_call_id: id, tool_calls: calls } of given) {
    const text = textOf(words)
    if (role === 'assistant') {
      messages.push({
        role,
        reasoning: '',
        text,
        calls: (calls ?? []).map((call) => ({
          id: call.id,
          name: call.function.name,
          arguments: parseArguments(call.function.arguments),
        })),
      })
    } else if (role === 'tool') {
      if (id === undefined) throw invalid('a message of the role "tool" needs tool_call_id')
      messages.push({ role, callId: id, name: toolOf(messages, id), text, ok: true })
    } else messages.push({ role: 'user', text })
  }
  return messages
}

/** The words of a content, in whichever form. Throws ApiError for images and other things that are not read here. */
function textOf(given: z.infer<typeof content>): string {
  if (given === null || given === undefined) return ''
  if (typeof given === 'string') return given
  return given.map((each) => partText(each)).join('')
}

/** The text of one part of a content. Throws ApiError. */
export function partText({ type, text }: { type: string; text?: string | undefined }): string {
  if (text === undefined) throw invalid(`content of the type "${type}" is not read here, only text`)
  return text
}

function wantsUsage(body: unknown): boolean {
  return parseBody(chatBody, body).stream_options?.include_usage === true
}
