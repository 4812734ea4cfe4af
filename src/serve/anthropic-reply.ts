/** Anthropic's messages: the reply, whole or as the events of its stream. */
import { randomUUID } from 'node:crypto'
import type { Usage } from '../../engine/index.ts'
import type { Answer, ModelRequest, ReplyWriter, ServerSentEvent } from './model-request.ts'

const reasons: Readonly<Record<Answer['stop'], string>> = {
  end: 'end_turn',
  'stop-text': 'stop_sequence',
  length: 'max_tokens',
  calls: 'tool_use',
}

export function anthropicWriter({ model }: ModelRequest): ReplyWriter {
  const id = `msg_${randomUUID().replaceAll('-', '')}`
  /** The block that grows now, and the index of the next one. */
  let open: 'text' | 'thinking' | undefined
  let index = 0

  const sse = (type: string, rest: object): ServerSentEvent => ({
    event: type,
    data: JSON.stringify({ type, ...rest }),
  })

  function close(): ServerSentEvent[] {
    if (open === undefined) return []
    open = undefined
    index += 1
    return [sse('content_block_stop', { index: index - 1 })]
  }

  function say(kind: 'text' | 'thinking', words: string): ServerSentEvent[] {
    const ended = open === kind ? [] : close()
    const begun = open === kind ? [] : [sse('content_block_start', { index, content_block: blockOf(kind, '') })]
    open = kind
    const delta = kind === 'text' ? { type: 'text_delta', text: words } : { type: 'thinking_delta', thinking: words }
    return [...ended, ...begun, sse('content_block_delta', { index, delta })]
  }

  const message = (rest: object): object => ({ id, type: 'message', role: 'assistant', model, ...rest })

  return {
    begin: () => [
      sse('message_start', {
        message: message({ content: [], stop_reason: null, stop_sequence: null, usage: toUsage(undefined) }),
      }),
    ],
    event(event) {
      switch (event.type) {
        case 'reading':
        case 'logprob':
          return []
        case 'reasoning':
        case 'text':
          return say(event.type === 'text' ? 'text' : 'thinking', event.text)
        case 'call': {
          const ended = close()
          const at = index
          index += 1
          const content_block = { type: 'tool_use', id: event.id, name: event.name, input: {} }
          return [
            ...ended,
            sse('content_block_start', { index: at, content_block }),
            sse('content_block_delta', { index: at, delta: { type: 'input_json_delta', partial_json: event.input } }),
            sse('content_block_stop', { index: at }),
          ]
        }
        default:
          return event satisfies never
      }
    },
    end: ({ stop, stopText, usage }) => [
      ...close(),
      sse('message_delta', {
        delta: { stop_reason: reasons[stop], stop_sequence: stopText ?? null },
        usage: toUsage(usage),
      }),
      sse('message_stop', {}),
    ],
    whole: ({ reasoning, text, calls, stop, stopText, usage }) =>
      message({
        content: [
          ...(reasoning === '' ? [] : [blockOf('thinking', reasoning)]),
          ...(text === '' ? [] : [blockOf('text', text)]),
          ...calls.map(({ id: callId, name, input }) => ({
            type: 'tool_use',
            id: callId,
            name,
            input: JSON.parse(input),
          })),
        ],
        stop_reason: reasons[stop],
        stop_sequence: stopText ?? null,
        usage: toUsage(usage),
      }),
  }
}

function blockOf(kind: 'text' | 'thinking', words: string): object {
  return kind === 'text'
    ? { type: 'text', text: words, citations: null }
    : { type: 'thinking', thinking: words, signature: '' }
}

function toUsage(usage: Usage | undefined): object {
  return {
    input_tokens: usage?.evaluatedTokens ?? 0,
    cache_read_input_tokens: usage?.cachedTokens ?? 0,
    cache_creation_input_tokens: 0,
    output_tokens: usage?.generatedTokens ?? 0,
  }
}
