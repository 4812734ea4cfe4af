/** A real web server on this machine that serves one file, as badly as a test wants. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface HubOptions {
  readonly body: Buffer
  readonly etag?: string
  /** Answers a request instead of the well-behaved way; returns false to leave it to that. */
  readonly misbehave?: (request: IncomingMessage, response: ServerResponse, number: number) => boolean
  /** Breaks the connection after so many bytes of a body. */
  readonly cutAfter?: number
  /** Bytes a second, in pieces. */
  readonly speed?: number
  /** The first body stops half-way until this is settled. */
  readonly hold?: Promise<void>
}

export interface Hub {
  readonly url: string
  readonly requests: { readonly path: string; readonly range: string | undefined }[]
  /** Bytes of bodies that were sent in all. */
  sent(): number
  close(): Promise<void>
}

export async function startHub(options: HubOptions): Promise<Hub> {
  const requests: Hub['requests'] = []
  let sent = 0
  const server = createServer((request, response) => {
    requests.push({ path: request.url ?? '', range: request.headers.range })
    if (options.misbehave?.(request, response, requests.length)) return
    void serve(request, response)
  })
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')
    const same = request.headers['if-range'] === undefined || request.headers['if-range'] === options.etag
    const start = range !== null && same ? Number(range[1]) : 0
    if (start >= options.body.length) {
      response.writeHead(416, { 'content-range': `bytes */${options.body.length}` }).end()
      return
    }
    const rest = options.body.subarray(start)
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': rest.length,
      'content-type': 'application/octet-stream',
      ...(options.etag === undefined ? {} : { etag: options.etag }),
      ...(start > 0 ? { 'content-range': `bytes ${start}-${options.body.length - 1}/${options.body.length}` } : {}),
    })
    const end = Math.min(rest.length, options.cutAfter ?? rest.length)
    const step = options.speed === undefined ? Math.ceil(end / 2) : Math.max(1, Math.floor(options.speed / 50))
    for (let at = 0; at < end && !response.destroyed; at += step) {
      const piece = rest.subarray(at, Math.min(end, at + step))
      await new Promise<void>((resolve) => response.write(piece, () => resolve()))
      sent += piece.length
      if (requests.length === 1 && at + step >= end / 2) await options.hold
      if (options.speed !== undefined) await new Promise((resolve) => setTimeout(resolve, 20))
    }
    if (end < rest.length) response.destroy()
    else response.end()
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    sent: () => sent,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Bytes that begin as a GGUF file does and then never repeat. */
export function modelBytes(length: number, seed = 'weights'): Buffer {
  const blocks: Buffer[] = [Buffer.from('GGUF')]
  for (let n = 0; blocks.length * 64 < length + 64; n += 1)
    blocks.push(createHash('sha512').update(`${seed}${n}`).digest())
  return Buffer.concat(blocks).subarray(0, length)
}

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
