/** One request answered by the model: a session is opened on its messages, speaks once, and is closed. */
import { type Model, type ModelFailure, stopText } from '../../engine/index.ts'
import { ApiError } from './api-error.ts'
import type { Answer, AnswerEvent, ModelRequest, TokenLogprob } from './model-request.ts'
import type { Replies } from './replies.ts'

/** Tokens of a reply where the request does not say. */
export const usualReplyTokens = 4096

export interface AnswerOptions {
  readonly model: Model
  readonly replies: Replies
  /** The client is gone, or the server ends. */
  readonly signal: AbortSignal
  readonly onEvent: (event: AnswerEvent) => void
}

/** Throws ApiError for what the model could not do, and the signal's reason when it aborts. */
export async function answer(request: ModelRequest, options: AnswerOptions): Promise<Answer> {
  const { model, replies, signal, onEvent } = options
  const { system, tools, stop } = request
  const head = system === '' && tools.length === 0 ? [] : [{ role: 'system', text: system, tools } as const]
  const session = await model.start([
    // On its own, so that its reading is kept on disk, and a new conversation with the same tools begins with it.
    { name: 'system', messages: head },
    { name: 'conversation', messages: replies.recall(request) },
  ])
  const enough = new AbortController()
  const shown = stopText(stop)
  const calls: Answer['calls'][number][] = []
  const logprobs: TokenLogprob[] = []
  /** As the model wrote it, with what ends it. */
  let words = ''
  let text = ''
  let reasoning = ''
  const say = (more: string): void => {
    if (more === '') return
    text += more
    onEvent({ type: 'text', text: more })
  }
  try {
    const events = session.respond({
      signal: AbortSignal.any([signal, enough.signal]),
      maxTokens: request.maxTokens ?? usualReplyTokens,
      sampling: request.sampling,
      logprobs: request.logprobs,
    })
    for await (const event of events) {
      if (event.type === 'error') throw failed(event.failure)
      if (event.type === 'done') {
        signal.throwIfAborted()
        if (!shown.stopped) say(shown.end())
        const { sampled } = event.message
        if (sampled !== undefined && !shown.stopped) {
          const given = { text, calls: event.message.calls, reasoning }
          replies.keep(request, { role: 'assistant', ...given }, sampled)
        }
        const ended = event.stop === 'length' ? 'length' : calls.length > 0 ? 'calls' : 'end'
        return {
          ...{ reasoning, text, calls, logprobs, usage: event.usage },
          stop: shown.stopped ? 'stop-text' : ended,
          stopText: shown.stopped ? firstOf(stop, words) : undefined,
        }
      }
      if (shown.stopped) continue
      switch (event.type) {
        case 'prefill':
          onEvent({ type: 'reading', done: event.done, total: event.total })
          break
        case 'reasoning':
          reasoning += event.text
          onEvent(event)
          break
        case 'text':
        case 'malformed':
          // What was meant as a call and is none is words: the client's own loop says what it makes of them.
          words += event.text
          say(shown.push(event.text))
          if (shown.stopped) enough.abort()
          break
        case 'call': {
          say(shown.end())
          const { id, name } = event.call
          const call = { id, name, input: JSON.stringify(event.call.arguments ?? {}) }
          calls.push(call)
          onEvent({ type: 'call', ...call })
          break
        }
        case 'logprobs':
          for (const { text: word, logprob } of event.tokens) {
            const token = { text: word, logprob }
            logprobs.push(token)
            onEvent({ type: 'logprob', token })
          }
          break
        case 'call-start':
        case 'call-delta':
        case 'notice':
          break
        default:
          event satisfies never
      }
    }
    throw new ApiError(500, 'server_error', 'the model ended without an answer: this is a fault of Cachalot')
  } finally {
    await session.close()
  }
}

function failed({ kind, message, retryable }: ModelFailure): ApiError {
  if (kind === 'context-full') return new ApiError(400, 'context_length_exceeded', message)
  return new ApiError(retryable ? 503 : 500, 'server_error', message, retryable ? 1 : undefined)
}

/** The text that is found first. */
function firstOf(stops: readonly string[], words: string): string | undefined {
  const found = stops.filter((stop) => words.includes(stop))
  return found.toSorted((a, b) => words.indexOf(a) - words.indexOf(b))[0]
}
