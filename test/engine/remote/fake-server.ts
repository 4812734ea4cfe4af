/** A chat completions server for tests, on a real socket: each request is answered by the next of some handlers. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  readonly body: string
  readonly headers: IncomingMessage['headers']
  readonly url: string
}

export type Handler = (response: ServerResponse, request: Received) => void | Promise<void>

export interface FakeServer {
  readonly baseUrl: string
  readonly requests: Received[]
  close(): Promise<void>
}

/** The last handler answers all further requests. */
export async function fakeServer(...handlers: readonly Handler[]): Promise<FakeServer> {
  const requests: Received[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    const received = { body, headers: request.headers, url: request.url ?? '' }
    const handler = handlers[Math.min(requests.length, handlers.length - 1)]
    requests.push(received)
    await handler?.(response, received)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

export interface Delta {
  readonly content?: unknown
  readonly reasoning_content?: string
  readonly reasoning?: string
  readonly tool_calls?: readonly unknown[]
}

export const chunk = (delta: Delta, finish: string | null = null) =>
  JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })

export const usage = (prompt: number, completion: number, cached: number) =>
  JSON.stringify({
    choices: [],
    usage: { prompt_tokens: prompt, completion_tokens: completion, prompt_tokens_details: { cached_tokens: cached } },
  })

/** Streams these data lines; `cut` ends the connection in the middle. */
export function events(
  lines: readonly string[],
  { cut = false, done = true }: { cut?: boolean; done?: boolean } = {},
): Handler {
  return async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const line of [...lines, ...(done && !cut ? ['[DONE]'] : [])]) response.write(`data: ${line}\n\n`)
    if (!cut) response.end()
    else setTimeout(() => response.destroy(), 20)
  }
}

export function status(code: number, body: unknown, headers: Record<string, string> = {}): Handler {
  return (response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }
}

export const says = (text: string): Handler => events([chunk({ content: text }), chunk({}, 'stop')])
