/**
 * A local endpoint that speaks the OpenAI chat protocol and answers from a list. It keeps no state between requests:
 * which reply is due follows from the number of tool results in the request, so that a retried request gets the same
 * answer again. Every request is recorded; faults can be put in front of chosen requests.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface FakeReply {
  readonly reasoning?: string
  readonly text?: string
  readonly calls?: readonly { readonly name: string; readonly arguments: unknown }[]
  /** Milliseconds between chunks. */
  readonly chunkMs?: number
}

/** What happens to one request (counted from 0) instead of its answer. */
export type Fault =
  /** An HTTP error. */
  | {
      readonly kind: 'status'
      readonly status: number
      readonly headers?: Record<string, string>
      readonly body?: string
    }
  /** The stream ends without its end after so many chunks. */
  | { readonly kind: 'cut'; readonly chunks: number }
  /** The request is taken and nothing ever comes. */
  | { readonly kind: 'hang' }
  /** A stream of data that is no JSON. */
  | { readonly kind: 'garbage' }
  /** The answer, after so long a silence. */
  | { readonly kind: 'late'; readonly ms: number }
  /** The answer without its end marker. */
  | { readonly kind: 'no-marker' }
  /** The answer ends, for want of room, after so many chunks. */
  | { readonly kind: 'length'; readonly chunks: number }
  /** The answer with this id on each of its calls. */
  | { readonly kind: 'ids'; readonly id: string }
  /** The answer with texts and arguments of one character a chunk, and one byte a packet. */
  | { readonly kind: 'bytes' }
  /** Another answer in its place. */
  | { readonly kind: 'other'; readonly reply: FakeReply }

export interface RecordedRequest {
  readonly headers: IncomingMessage['headers']
  readonly body: {
    readonly model: string
    readonly stream?: boolean
    readonly messages: readonly { readonly role: string; readonly [key: string]: unknown }[]
    readonly [key: string]: unknown
  }
}

export interface FakeOpenAi {
  /** `http://127.0.0.1:PORT/v1` */
  readonly baseUrl: string
  readonly requests: readonly RecordedRequest[]
  /** When each request had arrived and when its answer was sent whole, on `performance.now()`: for benches. */
  readonly times: readonly { readonly arrived: number; readonly answered: number }[]
  close(): Promise<void>
}

export async function startFakeOpenAi(
  replies: readonly FakeReply[] | ((request: RecordedRequest['body']) => readonly FakeReply[]),
  faults: Readonly<Record<number, Fault>> | ((request: number) => Fault | undefined) = {},
): Promise<FakeOpenAi> {
  const requests: RecordedRequest[] = []
  const times: { arrived: number; answered: number }[] = []
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy())
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/v1/models') {
      return json(response, 200, { object: 'list', data: [{ id: 'fake', object: 'model' }] })
    }
    if (request.method !== 'POST' || request.url !== '/v1/chat/completions') {
      return json(response, 404, { error: { message: `no such path: ${request.url}` } })
    }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as RecordedRequest['body']
    const fault = typeof faults === 'function' ? faults(requests.length) : faults[requests.length]
    requests.push({ headers: request.headers, body })
    const time = { arrived: performance.now(), answered: Number.NaN }
    times.push(time)
    if (fault?.kind === 'status') {
      response.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers })
      response.end(fault.body ?? JSON.stringify({ error: { message: `fault ${fault.status}` } }))
      return
    }
    if (fault?.kind === 'hang') return
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
    if (fault?.kind === 'garbage') {
      response.end('data: {"choices":[{"delta":\n\ndata: [DONE]\n\n')
      return
    }
    const reply =
      fault?.kind === 'other'
        ? fault.reply
        : due(typeof replies === 'function' ? replies(body) : replies, body.messages)
    if (fault?.kind === 'late') await new Promise((resolve) => setTimeout(resolve, fault.ms))
    let sent = 0
    for (const data of stream(reply, body, fault)) {
      if (fault?.kind === 'length' && sent >= fault.chunks) {
        response.end(
          `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'length' }] })}\n\ndata: [DONE]\n\n`,
        )
        return
      }
      if (fault?.kind === 'cut' && sent >= fault.chunks) {
        response.destroy()
        return
      }
      const line = Buffer.from(`data: ${JSON.stringify(data)}\n\n`)
      if (fault?.kind === 'bytes') for (const byte of line) response.write(Uint8Array.of(byte))
      else response.write(line)
      sent += 1
      if (reply.chunkMs !== undefined) await new Promise((resolve) => setTimeout(resolve, reply.chunkMs))
    }
    response.end(fault?.kind === 'no-marker' ? '' : 'data: [DONE]\n\n')
    time.answered = performance.now()
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    requests,
    times,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(value))
}

/** The reply that follows the tool results in the conversation. The last one stands for all that would come after. */
function due(replies: readonly FakeReply[], messages: RecordedRequest['body']['messages']): FakeReply {
  let results = messages.filter((message) => message.role === 'tool').length
  for (const reply of replies) {
    const calls = reply.calls?.length ?? 0
    if (results < calls || calls === 0) return reply
    results -= calls
  }
  return { text: 'There is nothing more to say.' }
}

function* stream(reply: FakeReply, body: RecordedRequest['body'], fault?: Fault): Generator<object> {
  const pieces = (text: string): string[] => text.match(fault?.kind === 'bytes' ? /[\s\S]/gu : /[\s\S]{1,16}/g) ?? []
  const chunk = (delta: object, finish: string | null = null): object => ({
    id: 'chatcmpl-fake',
    object: 'chat.completion.chunk',
    model: body.model,
    choices: [{ index: 0, delta, finish_reason: finish }],
  })
  yield chunk({ role: 'assistant', content: '' })
  for (const text of pieces(reply.reasoning ?? '')) yield chunk({ reasoning_content: text })
  for (const text of pieces(reply.text ?? '')) yield chunk({ content: text })
  for (const [index, call] of (reply.calls ?? []).entries()) {
    const id = fault?.kind === 'ids' ? fault.id : `call_${body.messages.length}_${index}`
    yield chunk({ tool_calls: [{ index, id, type: 'function', function: { name: call.name, arguments: '' } }] })
    for (const text of pieces(JSON.stringify(call.arguments))) {
      yield chunk({ tool_calls: [{ index, function: { arguments: text } }] })
    }
  }
  yield chunk({}, (reply.calls?.length ?? 0) > 0 ? 'tool_calls' : 'stop')
  const prompt = Math.ceil(JSON.stringify(body.messages).length / 4)
  const completion = Math.ceil(JSON.stringify(reply).length / 4)
  yield {
    id: 'chatcmpl-fake',
    object: 'chat.completion.chunk',
    model: body.model,
    choices: [],
    usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
  }
}
