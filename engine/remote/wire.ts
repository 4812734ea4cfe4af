/** What goes over the wire: the OpenAI chat completions format (https://platform.openai.com/docs/api-reference/chat). */
import * as z from 'zod'
import type { AssistantMessage, JsonSchema, Message, UserMessage } from '../messages.ts'
import type { PictureUrls } from './pictures.ts'

export type WireMessage =
  | { readonly role: 'system'; readonly content: string }
  | { readonly role: 'user'; readonly content: string | readonly WirePart[] }
  | {
      readonly role: 'assistant'
      readonly content: string
      readonly reasoning_content?: string
      readonly tool_calls?: readonly {
        readonly id: string
        readonly type: 'function'
        readonly function: { readonly name: string; readonly arguments: string }
      }[]
    }
  | { readonly role: 'tool'; readonly tool_call_id: string; readonly content: string }

/** Content of a message with pictures (https://platform.openai.com/docs/guides/images-vision). */
export type WirePart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image_url'; readonly image_url: { readonly url: string } }

export interface WireTool {
  readonly type: 'function'
  readonly function: { readonly name: string; readonly description: string; readonly parameters: JsonSchema }
}

/**
 * Which replies go back with their reasoning: those with calls where there was any; all, with an empty text where there
 * was none; or none.
 */
export type ReasoningBack = 'calls' | 'all' | 'none'

/** Each message by itself, so that the rendering of an earlier one never changes. Undefined for an empty reply. */
export function toWire(
  message: Message,
  reasoning: ReasoningBack = 'calls',
  urls: PictureUrls = new Map(),
): WireMessage | undefined {
  switch (message.role) {
    case 'system':
      return { role: message.role, content: message.text }
    case 'user':
      return { role: message.role, content: userContent(message, urls) }
    case 'tool':
      return { role: 'tool', tool_call_id: message.callId, content: message.text }
    case 'assistant':
      // Servers refuse an assistant message that holds nothing.
      return message.text === '' && message.calls.length === 0 ? undefined : assistantToWire(message, reasoning)
    default:
      return message satisfies never
  }
}

/** A text alone stays a string: servers without vision take nothing else. */
function userContent({ text, pictures = [] }: UserMessage, urls: PictureUrls): string | readonly WirePart[] {
  if (pictures.length === 0) return text
  return [
    { type: 'text', text },
    ...pictures.map(({ sha256 }): WirePart => {
      const url = urls.get(sha256)
      return url === undefined
        ? { type: 'text', text: '(A picture stood here; it is not on the disk any more.)' }
        : { type: 'image_url', image_url: { url } }
    }),
  ]
}

/**
 * DeepSeek's API answers 400 where the reasoning of a reply with calls is missing in any later request
 * (https://api-docs.deepseek.com/guides/thinking_mode); its models keep all of it whenever tools are declared.
 */
function assistantToWire({ text, reasoning, calls }: AssistantMessage, back: ReasoningBack): WireMessage {
  const told = back === 'all' || (back === 'calls' && calls.length > 0 && reasoning !== '')
  return {
    role: 'assistant',
    content: text,
    ...(told ? { reasoning_content: reasoning } : {}),
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map((call) => ({
            id: call.id,
            type: 'function' as const,
            function: { name: call.name, arguments: JSON.stringify(call.arguments ?? {}) },
          })),
        }),
  }
}

export function toolsToWire(messages: readonly Message[]): WireTool[] {
  const tools = messages.find((message) => message.role === 'system')?.tools ?? []
  return tools.map(({ name, description, parameters }) => ({
    type: 'function',
    function: { name, description, parameters },
  }))
}

const callDelta = z.object({
  index: z.int().nonnegative().nullish().catch(undefined),
  id: z.union([z.string(), z.number().transform(String)]).nullish(),
  function: z
    .object({
      name: z.string().nullish(),
      arguments: z
        .union([z.string(), z.record(z.string(), z.unknown()).transform((value) => JSON.stringify(value))])
        .nullish(),
    })
    .nullish(),
})

export type CallDelta = z.infer<typeof callDelta>

const parts = z
  .array(z.object({ text: z.string().nullish() }))
  .transform((list) => list.map((part) => part.text ?? '').join(''))

const delta = z.object({
  content: z.union([z.string(), parts]).nullish(),
  reasoning_content: z.string().nullish().catch(undefined),
  reasoning: z.string().nullish().catch(undefined),
  tool_calls: z.array(callDelta).nullish(),
})

const count = z.int().nonnegative().nullish().catch(undefined)

const usage = z.object({
  prompt_tokens: count,
  completion_tokens: count,
  prompt_tokens_details: z.object({ cached_tokens: count }).nullish().catch(undefined),
  prompt_cache_hit_tokens: count,
})

/** A chunk of a stream, or a whole completion (`message` for `delta`): hostile, so only what we read and nothing else. */
export const chunkSchema = z.object({
  choices: z
    .array(z.object({ delta: delta.nullish(), message: delta.nullish(), finish_reason: z.string().nullish() }))
    .nullish(),
  usage: usage.nullish().catch(undefined),
  error: z.unknown().optional(),
})

export type Chunk = z.infer<typeof chunkSchema>
export type WireUsage = z.infer<typeof usage>
