/** OpenAI's responses (https://platform.openai.com/docs/api-reference/responses): the request. Nothing is stored. */
import * as z from 'zod'
import type { Message, ToolSpec } from '../../engine/index.ts'
import { invalid, openaiError } from './api-error.ts'
import { checkFormat, offered, partText, samplingOf } from './chat.ts'
import {
  checkConversation,
  type ModelRequest,
  type Protocol,
  parseArguments,
  parseBody,
  toolOf,
} from './model-request.ts'
import { responsesWriter } from './responses-reply.ts'

const content = z.union([z.string(), z.array(z.looseObject({ type: z.string(), text: z.string().optional() }))])

const item = z.looseObject({
  type: z.string().optional(),
  role: z.enum(['system', 'developer', 'user', 'assistant']).optional(),
  content: content.nullish(),
  call_id: z.string().optional(),
  name: z.string().optional(),
  arguments: z.string().optional(),
  output: z.unknown().optional(),
})

const responsesBody = z.looseObject({
  model: z.string(),
  input: z.union([z.string(), z.array(item)]),
  instructions: z.string().nullish(),
  tools: z
    .array(
      z.looseObject({
        type: z.string(),
        name: z.string().optional(),
        description: z.string().nullish(),
        parameters: z.record(z.string(), z.unknown()).nullish(),
      }),
    )
    .nullish(),
  tool_choice: z.unknown().optional(),
  max_output_tokens: z.int().positive().nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  stream: z.boolean().nullish(),
  previous_response_id: z.string().nullish(),
  background: z.boolean().nullish(),
  include: z.array(z.string()).nullish(),
  text: z.looseObject({ format: z.looseObject({ type: z.string() }).nullish() }).nullish(),
  user: z.string().nullish(),
  prompt_cache_key: z.string().nullish(),
})

export const responses: Protocol = {
  name: 'responses',
  path: '/v1/responses',
  error: openaiError,
  errorEvent: (error) => ({
    event: 'error',
    data: JSON.stringify({ type: 'error', code: error.kind, message: error.message, param: null, sequence_number: 0 }),
  }),
  ping: ': reading\n\n',
  parse(given): ModelRequest {
    const body = parseBody(responsesBody, given)
    if (typeof body.previous_response_id === 'string') {
      throw invalid('previous_response_id: responses are not stored here; send the whole conversation as input')
    }
    if (body.background === true) throw invalid('background: a response is given while it is made, not later')
    checkFormat(body.text?.format?.type)
    const system: string[] = typeof body.instructions === 'string' ? [body.instructions] : []
    const messages = toMessages(
      typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : body.input,
      system,
    )
    checkConversation(messages)
    return {
      model: body.model,
      system: system.join('\n\n'),
      // Tools of the service's own (web search and the like) are nothing that a model here could call.
      tools: offered((body.tools ?? []).flatMap(toTool), body.tool_choice),
      messages,
      maxTokens: body.max_output_tokens ?? undefined,
      sampling: samplingOf(body),
      stop: [],
      logprobs: body.include?.includes('message.output_text.logprobs') === true,
      stream: body.stream === true,
      client: body.prompt_cache_key ?? body.user ?? undefined,
    }
  },
  writer: (request) => responsesWriter(request),
}

function toTool(tool: {
  type: string
  name?: string | undefined
  description?: string | null | undefined
  parameters?: Readonly<Record<string, unknown>> | null | undefined
}): ToolSpec[] {
  if (tool.type !== 'function') return []
  if (tool.name === undefined) throw invalid('tools: a function needs a name')
  const parameters = tool.parameters ?? { type: 'object', properties: {} }
  return [{ name: tool.name, description: tool.description ?? '', parameters }]
}

/** The items as messages; first words of the system are added to `system`. A reply and its calls are one message. */
function toMessages(items: readonly z.infer<typeof item>[], system: string[]): Message[] {
  const messages: Message[] = []
  for (const each of items) {
    const type = each.type ?? 'message'
    if (type === 'reasoning') continue
    if (type === 'function_call_output') {
      const id = each.call_id ?? ''
      messages.push({ role: 'tool', callId: id, name: toolOf(messages, id), text: outputText(each.output), ok: true })
      continue
    }
    const last = messages.at(-1)
    if (type === 'function_call') {
      const call = { id: each.call_id ?? '', name: each.name ?? '', arguments: parseArguments(each.arguments ?? '') }
      const reply =
        last?.role === 'assistant' ? last : { role: 'assistant' as const, reasoning: '', text: '', calls: [] }
      if (last?.role === 'assistant') messages.pop()
      messages.push({ ...reply, calls: [...reply.calls, call] })
      continue
    }
    if (type !== 'message' || each.role === undefined)
      throw invalid(`input: an item of the type "${type}" is not read here`)
    const text = outputText(each.content)
    if (each.role === 'assistant') messages.push({ role: 'assistant', reasoning: '', text, calls: [] })
    else if (each.role !== 'user' && messages.length === 0) system.push(text)
    else messages.push({ role: 'user', text })
  }
  return messages
}

function outputText(given: unknown): string {
  const read = content.nullish().safeParse(given)
  if (!read.success) throw invalid('input: a content must be text, or a list of parts with text')
  if (typeof read.data === 'string') return read.data
  return (read.data ?? []).map((each) => partText(each)).join('')
}
