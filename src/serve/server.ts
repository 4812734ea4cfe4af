/** The server: paths, the turn of each request, its answer as JSON or as a stream. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { basename } from 'node:path'
import type { Model } from '../../engine/index.ts'
import { version } from '../version.ts'
import { admit } from './admit.ts'
import { answer } from './answer.ts'
import { anthropic } from './anthropic.ts'
import { ApiError } from './api-error.ts'
import { readJson } from './body.ts'
import { chat } from './chat.ts'
import { countTokens } from './count-tokens.ts'
import { metrics } from './metrics.ts'
import type { Protocol } from './model-request.ts'
import { replies } from './replies.ts'
import { responses } from './responses.ts'
import { openStream } from './stream.ts'
import { turnstile } from './turnstile.ts'

export interface ServerOptions {
  readonly model: Model
  readonly token: string
  /** Requests that the engine works on at once. */
  readonly parallel: number
  /** The server is to end: what is going on is cut. */
  readonly signal: AbortSignal
}

const protocols: readonly Protocol[] = [chat, responses, anthropic]

/** More than this many waiting requests are told to come back later. */
const mostWaiting = 64
/** Replies whose tokens are remembered. */
const mostReplies = 1000

/** Names by which any model is asked for. */
const anyModel = ['default', 'cachalot']

/** What clients ask for: of a file, its name without the folders. */
export const servedName = ({ info }: Model): string => basename(info.name).replace(/\.gguf$/i, '')

/** Not listening yet. */
export function modelServer({ model, token, parallel, signal }: ServerOptions): Server {
  const turns = turnstile(parallel, mostWaiting)
  const remembered = replies(mostReplies)
  const { contextTokens = 0 } = model.info
  const name = servedName(model)
  const counters = metrics({ model: name, version, contextTokens })
  const about = { id: name, object: 'model', created: Math.floor(Date.now() / 1000), owned_by: 'cachalot' }
  const card = { ...about, type: 'model', display_name: name, created_at: new Date().toISOString() }

  async function serve(protocol: Protocol, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController()
    response.on('close', () => gone.abort(new ApiError(499, 'server_error', 'the client went away')))
    const until = AbortSignal.any([gone.signal, signal])
    const body = await readJson(request)
    const asked = protocol.parse(body)
    checkModel(asked.model)
    const client = asked.client ?? request.headers['user-agent'] ?? ''
    const leave = await turns.enter(client, until)
    try {
      const writer = protocol.writer(asked, body)
      const stream = asked.stream ? openStream(response, protocol, writer) : undefined
      const given = await answer(asked, {
        model,
        replies: remembered,
        signal: until,
        onEvent: (event) => stream?.event(event),
      }).catch((error: unknown) => {
        if (stream?.begun !== true || gone.signal.aborted) throw error
        const told = apiError(error)
        stream.fail(told)
        counters.request(protocol.name, told.status)
        return undefined
      })
      if (given === undefined) return
      counters.spent(given.usage)
      counters.request(protocol.name, 200)
      if (stream === undefined) sendJson(response, 200, writer.whole(given))
      else stream.end(given)
    } finally {
      leave()
    }
  }

  function checkModel(wanted: string): void {
    if (wanted === name || wanted === model.info.name || anyModel.includes(wanted)) return
    throw new ApiError(
      404,
      'not_found_error',
      `the model "${wanted}" is not served here; ask for "${name}" (or "default")`,
    )
  }

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://127.0.0.1').pathname
    if (path === '/health') return sendJson(response, 200, { status: 'ok' })
    admit(request, token)
    const asks = request.method === 'POST'
    const protocol = protocols.find((each) => each.path === path)
    if (protocol !== undefined && asks) return await serve(protocol, request, response)
    if (path === '/v1/messages/count_tokens' && asks) {
      return sendJson(response, 200, await countTokens(model, anthropic.parse(await readJson(request))))
    }
    if (request.method !== 'GET') throw unknownPath(request.method, path)
    if (path === '/v1/models') return sendJson(response, 200, { object: 'list', data: [card], has_more: false })
    if (path.startsWith('/v1/models/')) {
      checkModel(decodeURIComponent(path.slice('/v1/models/'.length)))
      return sendJson(response, 200, card)
    }
    if (path !== '/metrics') throw unknownPath(request.method, path)
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
    response.end(counters.text({ running: turns.running, waiting: turns.waiting }))
  }

  const server = createServer((request, response) => {
    route(request, response).catch((error: unknown) => {
      const told = apiError(error)
      const protocol = protocols.find(({ path }) => request.url?.startsWith(path)) ?? chat
      if (request.method === 'POST') counters.request(protocol.name, told.status)
      // Who went away gets nothing any more; who sends too much is not listened to any longer.
      if (response.headersSent || response.destroyed) return void response.destroy()
      if (!request.complete) response.setHeader('connection', 'close')
      if (told.retryAfter !== undefined) response.setHeader('retry-after', told.retryAfter)
      sendJson(response, told.status, protocol.error(told))
    })
  })
  server.requestTimeout = 60_000
  server.headersTimeout = 10_000
  return server
}

function unknownPath(method: string | undefined, path: string): ApiError {
  const paths = [...protocols.map((each) => `POST ${each.path}`), 'GET /v1/models', 'GET /metrics']
  return new ApiError(404, 'not_found_error', `there is no ${method} ${path} here; there is: ${paths.join(', ')}`)
}

function apiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  if (error instanceof Error && error.name === 'AbortError')
    return new ApiError(503, 'server_error', 'the server ends', 5)
  return new ApiError(500, 'server_error', error instanceof Error ? error.message : String(error))
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(value))
}
