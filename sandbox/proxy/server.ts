/** The proxy through which commands reach the hosts that are allowed: HTTP with CONNECT, on a unix socket of ours. */
import { lookup } from 'node:dns/promises'
import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Connection } from '../types.ts'
import { isPublicAddress } from './addresses.ts'
import { canonicalHost, type HostRule, isAllowed } from './rules.ts'

/** What one command may do, known by the secret in its proxy address. */
export interface Pass {
  readonly rules: readonly HostRule[]
  readonly onConnection: (connection: Connection) => void
}

/** All addresses of a name; a test gives its own. */
export type Resolve = (host: string) => Promise<readonly string[]>

const resolveAll: Resolve = async (host) =>
  (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address)

const CONNECT_SECONDS = 20

export interface HostProxy {
  /** Gives a command its secret; `revoke` makes it worthless. */
  admit(secret: string, pass: Pass): { revoke(): void }
  close(): void
}

/**
 * Starts it. A name is resolved once, the addresses are checked, and the checked address is dialled: an answer that
 * changes in between (DNS rebinding) gains nothing.
 *
 * @param isReachable which addresses may be dialled; default those of the public internet.
 */
export async function startProxy(
  socketFile: string,
  resolve: Resolve = resolveAll,
  isReachable: (address: string) => boolean = isPublicAddress,
): Promise<HostProxy> {
  const passes = new Map<string, Pass>()
  /** The address to dial, or why not. Every verdict is told. */
  const decide = async (pass: Pass, name: string, port: number): Promise<{ address?: string; why: string }> => {
    const host = canonicalHost(name)
    const allowed = host !== undefined && isAllowed(pass.rules, host, port)
    if (!allowed) {
      pass.onConnection({ host: host ?? name.slice(0, 253), port, allowed: false })
      return { why: `${name}:${port} is not an allowed host` }
    }
    try {
      const address = (await resolve(host)).find(isReachable)
      pass.onConnection({ host, port, allowed: address !== undefined })
      return { address, why: `${name} leads to a private address` }
    } catch {
      return { why: `${name} cannot be resolved` }
    }
  }
  const passOf = (request: IncomingMessage): Pass | undefined => {
    const given = /^Basic (.+)$/.exec(request.headers['proxy-authorization'] ?? '')?.[1] ?? ''
    return passes.get(Buffer.from(given, 'base64').toString().split(':')[1] ?? '')
  }

  const server = createServer((request, response) => {
    void forward(request, response, passOf(request), decide)
  })
  server.on('connect', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    void tunnel(request, client, head, passOf(request), decide)
  })
  server.on('clientError', (_, socket) => socket.destroy())
  await listen(server, socketFile)
  server.unref()
  return {
    admit(secret, pass) {
      passes.set(secret, pass)
      return { revoke: () => void passes.delete(secret) }
    },
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

type Decide = (pass: Pass, name: string, port: number) => Promise<{ address?: string; why: string }>

/** CONNECT host:port. What goes through is not looked at. */
async function tunnel(request: IncomingMessage, client: Duplex, head: Buffer, pass: Pass | undefined, decide: Decide) {
  client.on('error', () => client.destroy())
  const refuse = (status: string, why: string): void => {
    client.end(`HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nsandbox: ${why}\n`)
  }
  if (pass === undefined) return refuse('407 Proxy Authentication Required', 'not a command of this session')
  const target = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(request.url ?? '')
  if (target === null) return refuse('400 Bad Request', 'CONNECT needs host:port')
  const port = Number(target[2])
  const { address, why } = await decide(pass, target[1] ?? '', port)
  if (address === undefined) return refuse('403 Forbidden', why)
  const upstream = connect({ host: address, port })
  upstream.setTimeout(CONNECT_SECONDS * 1000, () => upstream.destroy())
  upstream.once('connect', () => {
    upstream.setTimeout(0)
    client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
    upstream.write(head)
    upstream.pipe(client)
    client.pipe(upstream)
  })
  bindEnds(client, upstream, () => refuse('502 Bad Gateway', `cannot connect to ${target[1]}`))
}

function bindEnds(client: Duplex, upstream: Socket, failed: () => void): void {
  upstream.once('error', () => {
    if (upstream.bytesRead === 0) failed()
    else client.destroy()
  })
  upstream.once('close', () => client.end())
  client.once('close', () => upstream.destroy())
}

/** A request in absolute form (http only). */
async function forward(request: IncomingMessage, response: ServerResponse, pass: Pass | undefined, decide: Decide) {
  const refuse = (status: number, why: string): void => {
    response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(`sandbox: ${why}\n`)
  }
  if (pass === undefined) return refuse(407, 'not a command of this session')
  const url = URL.canParse(request.url ?? '') ? new URL(request.url ?? '') : undefined
  if (url?.protocol !== 'http:') return refuse(400, 'only http: addresses in absolute form, or CONNECT')
  const port = Number(url.port || 80)
  const { address, why } = await decide(pass, url.hostname, port)
  if (address === undefined) return refuse(403, why)
  const headers: Record<string, string | string[] | undefined> = { ...request.headers, host: url.host }
  for (const name of ['proxy-authorization', 'proxy-connection', 'connection', 'keep-alive', 'upgrade'])
    delete headers[name]
  const upstream = httpRequest(
    {
      host: address,
      port,
      method: request.method,
      path: url.pathname + url.search,
      headers,
      timeout: CONNECT_SECONDS * 1000,
    },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    },
  )
  upstream.on('error', () =>
    response.headersSent ? response.destroy() : refuse(502, `cannot connect to ${url.hostname}`),
  )
  request.pipe(upstream)
  response.on('close', () => upstream.destroy())
}

function listen(server: Server, socketFile: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(socketFile, resolve)
  })
}
