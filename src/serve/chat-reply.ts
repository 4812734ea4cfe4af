/** OpenAI's chat completions: the reply, whole or in chunks. */
import { randomUUID } from 'node:crypto'
import type { Usage } from '../../engine/index.ts'
import type { Answer, ModelRequest, ReplyWriter, ServerSentEvent, TokenLogprob } from './model-request.ts'

const reasons: Readonly<Record<Answer['stop'], string>> = {
  end: 'stop',
  'stop-text': 'stop',
  length: 'length',
  calls: 'tool_calls',
}

/** @param withUsage whether the stream's last chunk tells what the answer cost */
export function chatWriter({ model, logprobs: wanted }: ModelRequest, withUsage: boolean): ReplyWriter {
  const id = `chatcmpl-${randomUUID()}`
  const created = Math.floor(Date.now() / 1000)
  let calls = 0
  /** Those of tokens whose text has not been told yet. */
  let waiting: TokenLogprob[] = []

  const chunk = (rest: object): ServerSentEvent => ({
    data: JSON.stringify({ id, object: 'chat.completion.chunk', created, model, ...rest }),
  })
  function choice(delta: object, finish: string | null = null): ServerSentEvent {
    const logprobs = wanted && waiting.length > 0 ? { content: waiting.map(toLogprob) } : null
    waiting = []
    return chunk({ choices: [{ index: 0, delta, logprobs, finish_reason: finish }] })
  }

  return {
    begin: () => [choice({ role: 'assistant', content: '' })],
    event(event) {
      switch (event.type) {
        case 'reading':
          return []
        case 'reasoning':
          // Not OpenAI's own: the field that DeepSeek, vLLM and llama.cpp have for it.
          return [choice({ reasoning_content: event.text })]
        case 'text':
          return [choice({ content: event.text })]
        case 'call': {
          const call = { index: calls, id: event.id, type: 'function' }
          calls += 1
          return [choice({ tool_calls: [{ ...call, function: { name: event.name, arguments: event.input } }] })]
        }
        case 'logprob':
          waiting.push(event.token)
          return []
        default:
          return event satisfies never
      }
    },
    end: ({ stop, usage }) => [
      choice({}, reasons[stop]),
      ...(withUsage ? [chunk({ choices: [], usage: toUsage(usage) })] : []),
      { data: '[DONE]' },
    ],
    whole({ reasoning, text, calls: made, logprobs, stop, usage }) {
      const message = {
        role: 'assistant',
        content: text === '' && made.length > 0 ? null : text,
        refusal: null,
        ...(reasoning !== '' && { reasoning_content: reasoning }),
        ...(made.length > 0 && {
          tool_calls: made.map(({ id: callId, name, input }) => ({
            id: callId,
            type: 'function',
            function: { name, arguments: input },
          })),
        }),
      }
      return {
        ...{ id, object: 'chat.completion', created, model },
        choices: [
          {
            index: 0,
            message,
            logprobs: wanted ? { content: logprobs.map(toLogprob), refusal: null } : null,
            finish_reason: reasons[stop],
          },
        ],
        usage: toUsage(usage),
      }
    },
  }
}

function toLogprob({ text, logprob }: TokenLogprob): object {
  return { token: text, logprob, bytes: [...Buffer.from(text)], top_logprobs: [] }
}

function toUsage({ promptTokens, cachedTokens, generatedTokens }: Usage): object {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: generatedTokens,
    total_tokens: promptTokens + generatedTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens },
  }
}
