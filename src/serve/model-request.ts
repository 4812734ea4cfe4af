/** What every protocol's request comes down to, and what its reply is made from. */
import type * as z from 'zod'
import type { Message, Sampling, ToolSpec, Usage } from '../../engine/index.ts'
import { type ApiError, invalid } from './api-error.ts'

/** A request without its protocol. Everything in it was written by others. */
export interface ModelRequest {
  /** As the client named it. */
  readonly model: string
  readonly system: string
  readonly tools: readonly ToolSpec[]
  /** In order, the last one of the user or a tool. */
  readonly messages: readonly Message[]
  readonly maxTokens: number | undefined
  readonly sampling: Partial<Sampling>
  /** Texts that end the reply and are no part of it. */
  readonly stop: readonly string[]
  readonly logprobs: boolean
  readonly stream: boolean
  /** Who asks, as far as the request says: requests of one wait for each other, not for those of others. */
  readonly client: string | undefined
}

export interface TokenLogprob {
  readonly text: string
  readonly logprob: number
}

/** What of an answer is told while it grows. */
export type AnswerEvent =
  /** Nothing new, but the work goes on. */
  | { readonly type: 'reading'; readonly done: number; readonly total: number }
  | { readonly type: 'reasoning'; readonly text: string }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'call'; readonly id: string; readonly name: string; readonly input: string }
  | { readonly type: 'logprob'; readonly token: TokenLogprob }

/** A whole answer. */
export interface Answer {
  readonly reasoning: string
  readonly text: string
  /** `input`: the arguments as JSON. */
  readonly calls: readonly { readonly id: string; readonly name: string; readonly input: string }[]
  readonly logprobs: readonly TokenLogprob[]
  readonly stop: 'end' | 'calls' | 'length' | 'stop-text'
  /** The one of the request's stop texts that ended it. */
  readonly stopText: string | undefined
  readonly usage: Usage
}

/** One event of a stream: `event` where the protocol names its events. */
export interface ServerSentEvent {
  readonly event?: string
  readonly data: string
}

/** Draws one answer in a protocol: piece by piece, or whole. */
export interface ReplyWriter {
  begin(): ServerSentEvent[]
  event(event: AnswerEvent): ServerSentEvent[]
  end(answer: Answer): ServerSentEvent[]
  whole(answer: Answer): object
}

/** One way of asking: its path, its request, its reply, its errors. */
export interface Protocol {
  readonly name: 'chat' | 'responses' | 'messages'
  readonly path: string
  /** Throws ApiError. */
  parse(body: unknown): ModelRequest
  writer(request: ModelRequest, body: unknown): ReplyWriter
  error(error: ApiError): object
  /** How an error is told when the stream has begun. */
  errorEvent(error: ApiError): ServerSentEvent
  /** Sent when nothing else was for a while, so that nobody takes the server for dead. */
  readonly ping: string
}

/** Parses with a schema. Throws ApiError with the path of what is wrong. */
export function parseBody<Value>(schema: z.ZodType<Value>, body: unknown): Value {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.slice(0, 3).map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`)
  throw invalid(problems.join('; '))
}

/** A call's arguments as a client sends them back: JSON, or what the model wrote where it was none. */
export function parseArguments(text: string): unknown {
  if (text.trim() === '') return {}
  try {
    return JSON.parse(text)
  } catch {
    return text // a broken call that the client kept: shown again as it was
  }
}

/** The results of calls need the name of the tool; the last message has to be one that is answered. Throws ApiError. */
export function checkConversation(messages: readonly Message[]): void {
  const last = messages.at(-1)
  if (last === undefined) throw invalid('there is no message to answer')
  if (last.role === 'assistant') {
    throw invalid(
      'the last message is of the assistant: replies cannot be begun by the client. End with a message of the user',
    )
  }
}

/** The name of the tool that was called by this id, in the messages so far. Throws ApiError. */
export function toolOf(messages: readonly Message[], id: string): string {
  for (const message of messages.toReversed()) {
    if (message.role !== 'assistant') continue
    const call = message.calls.find((each) => each.id === id)
    if (call !== undefined) return call.name
  }
  throw invalid(`a tool result answers the call "${id}", and no message before it makes that call`)
}
