/** OpenAI's responses: the reply, whole or as the events of its stream. */
import { randomUUID } from 'node:crypto'
import type { Usage } from '../../engine/index.ts'
import type { Answer, AnswerEvent, ModelRequest, ReplyWriter, ServerSentEvent, TokenLogprob } from './model-request.ts'

/** The item of the output that grows now. */
interface OpenItem {
  readonly id: string
  readonly kind: 'reasoning' | 'message'
  text: string
  logprobs: TokenLogprob[]
}

export function responsesWriter({ model, logprobs: wanted }: ModelRequest): ReplyWriter {
  const id = `resp_${randomUUID().replaceAll('-', '')}`
  const created = Math.floor(Date.now() / 1000)
  const output: object[] = []
  let sequence = 0
  let open: OpenItem | undefined
  let waiting: TokenLogprob[] = []

  const sse = (type: string, rest: object): ServerSentEvent => {
    const event = { event: type, data: JSON.stringify({ type, sequence_number: sequence, ...rest }) }
    sequence += 1
    return event
  }
  const response = (status: string, usage?: Usage, incomplete = false): object => ({
    ...{ id, object: 'response', created_at: created, status, model, output: [...output] },
    ...{ error: null, incomplete_details: incomplete ? { reason: 'max_output_tokens' } : null },
    ...{ instructions: null, metadata: {}, parallel_tool_calls: true, temperature: null, top_p: null },
    ...{ tool_choice: 'auto', tools: [] },
    usage: usage === undefined ? null : toUsage(usage),
  })

  function begin(kind: OpenItem['kind']): ServerSentEvent[] {
    if (open?.kind === kind) return []
    const ended = close()
    open = {
      id: `${kind === 'message' ? 'msg' : 'rs'}_${randomUUID().replaceAll('-', '')}`,
      kind,
      text: '',
      logprobs: [],
    }
    const at = { output_index: output.length, item_id: open.id, content_index: 0 }
    const item =
      kind === 'message'
        ? { id: open.id, type: 'message', status: 'in_progress', role: 'assistant', content: [] }
        : { id: open.id, type: 'reasoning', summary: [], content: [] }
    return [
      ...ended,
      sse('response.output_item.added', { output_index: output.length, item }),
      sse('response.content_part.added', { ...at, part: partOf({ ...open, text: '' }) }),
    ]
  }

  function close(): ServerSentEvent[] {
    if (open === undefined) return []
    const item = open
    open = undefined
    const index = output.length
    const at = { output_index: index, item_id: item.id, content_index: 0 }
    const whole = itemOf(item)
    output.push(whole)
    const spoken = item.kind === 'message' ? 'response.output_text.done' : 'response.reasoning_text.done'
    return [
      sse(spoken, {
        ...at,
        text: item.text,
        ...(item.kind === 'message' && { logprobs: item.logprobs.map(toLogprob) }),
      }),
      sse('response.content_part.done', { ...at, part: partOf(item) }),
      sse('response.output_item.done', { output_index: index, item: whole }),
    ]
  }

  function say(kind: OpenItem['kind'], text: string): ServerSentEvent[] {
    const events = begin(kind)
    if (open === undefined) return events
    open.text += text
    const at = { output_index: output.length, item_id: open.id, content_index: 0, delta: text }
    if (kind === 'reasoning') return [...events, sse('response.reasoning_text.delta', at)]
    const logprobs = waiting
    waiting = []
    open.logprobs.push(...logprobs)
    return [...events, sse('response.output_text.delta', { ...at, logprobs: logprobs.map(toLogprob) })]
  }

  function call(event: Extract<AnswerEvent, { type: 'call' }>): ServerSentEvent[] {
    const ended = close()
    const index = output.length
    const item = callItem(event)
    const at = { output_index: index, item_id: item.id }
    output.push(item)
    return [
      ...ended,
      sse('response.output_item.added', {
        output_index: index,
        item: { ...item, status: 'in_progress', arguments: '' },
      }),
      sse('response.function_call_arguments.delta', { ...at, delta: event.input }),
      sse('response.function_call_arguments.done', { ...at, name: event.name, arguments: event.input }),
      sse('response.output_item.done', { output_index: index, item }),
    ]
  }

  return {
    begin: () => [
      sse('response.created', { response: response('in_progress') }),
      sse('response.in_progress', { response: response('in_progress') }),
    ],
    event(event) {
      switch (event.type) {
        case 'reading':
          return []
        case 'reasoning':
        case 'text':
          return say(event.type === 'text' ? 'message' : 'reasoning', event.text)
        case 'call':
          return call(event)
        case 'logprob':
          if (wanted) waiting.push(event.token)
          return []
        default:
          return event satisfies never
      }
    },
    end({ stop, usage }) {
      const cut = stop === 'length'
      const status = cut ? 'incomplete' : 'completed'
      return [...close(), sse(`response.${status}`, { response: response(status, usage, cut) })]
    },
    whole(answer) {
      output.push(...itemsOf(answer))
      const cut = answer.stop === 'length'
      return response(cut ? 'incomplete' : 'completed', answer.usage, cut)
    },
  }
}

function itemsOf({ reasoning, text, calls, logprobs }: Answer): object[] {
  const newId = (prefix: string): string => `${prefix}_${randomUUID().replaceAll('-', '')}`
  return [
    ...(reasoning === '' ? [] : [itemOf({ id: newId('rs'), kind: 'reasoning', text: reasoning, logprobs: [] })]),
    ...(text === '' && calls.length > 0
      ? []
      : [itemOf({ id: newId('msg'), kind: 'message', text, logprobs: [...logprobs] })]),
    ...calls.map(callItem),
  ]
}

function itemOf(item: OpenItem): object {
  return item.kind === 'message'
    ? { id: item.id, type: 'message', status: 'completed', role: 'assistant', content: [partOf(item)] }
    : { id: item.id, type: 'reasoning', summary: [], content: [partOf(item)] }
}

function partOf({ kind, text, logprobs }: OpenItem): object {
  return kind === 'message'
    ? { type: 'output_text', text, annotations: [], logprobs: logprobs.map(toLogprob) }
    : { type: 'reasoning_text', text }
}

function callItem({ id, name, input }: { id: string; name: string; input: string }) {
  return { id: `fc_${id}`, type: 'function_call', status: 'completed', call_id: id, name, arguments: input }
}

function toLogprob({ text, logprob }: TokenLogprob): object {
  return { token: text, logprob, bytes: [...Buffer.from(text)], top_logprobs: [] }
}

function toUsage({ promptTokens, cachedTokens, generatedTokens }: Usage): object {
  return {
    input_tokens: promptTokens,
    input_tokens_details: { cached_tokens: cachedTokens },
    output_tokens: generatedTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: promptTokens + generatedTokens,
  }
}
