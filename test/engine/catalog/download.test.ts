import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, get as httpGet, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type DownloadRequest, download } from '../../../engine/catalog/download.ts'
import type { DownloadEvent } from '../../../engine/catalog/download-events.ts'
import type { Source } from '../../../engine/catalog/entry.ts'
import { type Hub, type HubOptions, modelBytes, sha256, startHub } from './support/hub.ts'

const body = modelBytes(3_000_000)
const first: Source = { kind: 'huggingface', repo: 'some/repo', file: 'model.gguf' }
const second: Source = { kind: 'modelscope', repo: 'some/repo', file: 'model.gguf' }

/** An address at which nothing listens. */
let closed: string
let folder: string
let hubs: Hub[]
let events: DownloadEvent[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cachalot-download-'))
  hubs = []
  events = []
  const gone = await startHub({ body })
  closed = gone.url
  await gone.close()
})
afterEach(async () => {
  await Promise.all(hubs.map((hub) => hub.close()))
  await rm(folder, { recursive: true, force: true })
})

async function hub(options: Partial<HubOptions> = {}): Promise<Hub> {
  const started = await startHub({ body, ...options })
  hubs.push(started)
  return started
}

const target = (): string => join(folder, 'models', 'model.gguf')

function get(
  request: Partial<DownloadRequest>,
  urls: { huggingface?: string; modelscope?: string },
  signal: AbortSignal = new AbortController().signal,
): ReturnType<typeof download> {
  return download(
    { target: target(), bytes: body.length, sha256: sha256(body), sources: [first], ...request },
    {
      signal,
      pause: 20,
      onEvent: (event) => events.push(event),
      endpoints: { huggingface: closed, modelscope: closed, npm: closed, ...urls },
    },
  )
}

async function leavePart(bytes: Buffer): Promise<void> {
  await mkdir(join(folder, 'models'))
  await writeFile(`${target()}.part`, bytes)
}

const of = <Type extends DownloadEvent['type']>(type: Type): Extract<DownloadEvent, { type: Type }>[] =>
  events.filter((event): event is Extract<DownloadEvent, { type: Type }> => event.type === type)

test('a file comes whole, with progress, and nothing else stays beside it', async () => {
  const server = await hub()
  const result = await get({}, { huggingface: server.url })
  expect(result).toEqual({ file: target(), bytes: body.length, sha256: sha256(body), source: 'Hugging Face' })
  expect((await readFile(target())).equals(body)).toBe(true)
  expect(await readdir(join(folder, 'models'))).toEqual(['model.gguf'])
  expect(of('progress').at(-1)).toMatchObject({ bytes: body.length, total: body.length })
  expect(server.requests[0]?.path).toBe('/some/repo/resolve/main/model.gguf')
})

test('a file that is here already is not fetched again', async () => {
  const server = await hub()
  await get({}, { huggingface: server.url })
  expect(await get({}, { huggingface: server.url })).toMatchObject({ source: undefined })
  expect(server.requests).toHaveLength(1)
})

test('a source that refuses the connection or has no name is passed over within a second, and said so', async () => {
  const server = await hub()
  const began = performance.now()
  await get({ sources: [first, second] }, { modelscope: server.url })
  expect(performance.now() - began).toBeLessThan(1_000)
  expect(of('passed-over')).toEqual([{ type: 'passed-over', source: 'Hugging Face', reason: 'connection refused' }])
  expect(of('source').map((event) => event.source)).toEqual(['Hugging Face', 'ModelScope'])
})

test('a name that does not resolve is a reason of its own', async () => {
  const began = performance.now()
  await expect(get({}, { huggingface: 'http://no-such-host.invalid' })).rejects.toMatchObject({ kind: 'no-source' })
  expect(performance.now() - began).toBeLessThan(2_000)
  expect(of('passed-over')[0]?.reason).toBe('its name cannot be resolved')
})

test('what an earlier attempt left is not fetched again', async () => {
  await leavePart(body.subarray(0, 1_000_000))
  const server = await hub()
  await get({}, { huggingface: server.url })
  expect((await readFile(target())).equals(body)).toBe(true)
  expect(server.requests[0]?.range).toBe('bytes=1000000-')
  expect(server.sent()).toBe(2_000_000)
  expect(of('resumed')).toEqual([{ type: 'resumed', bytes: 1_000_000 }])
})

test('a part that is whole already is only checked', async () => {
  await leavePart(body)
  const server = await hub()
  expect(await get({}, { huggingface: server.url })).toMatchObject({ source: 'an earlier attempt' })
  expect(server.requests).toEqual([])
  expect((await readFile(target())).equals(body)).toBe(true)
})

test('a part that is whole and wrong is thrown away', async () => {
  await leavePart(modelBytes(3_000_000, 'forged'))
  const server = await hub()
  await get({}, { huggingface: server.url })
  expect(server.requests.map((request) => request.range)).toEqual([undefined])
  expect((await readFile(target())).equals(body)).toBe(true)
})

test('a server that ignores the range is read past what is here', async () => {
  await leavePart(body.subarray(0, 1_000_000))
  const server = await hub({
    misbehave: (_, response) => {
      response.writeHead(200, { 'content-length': body.length }).end(body)
      return true
    },
  })
  await get({}, { huggingface: server.url })
  expect((await readFile(target())).equals(body)).toBe(true)
})

test('a connection that breaks is taken up where it stopped', async () => {
  const server = await hub({ cutAfter: 1_300_000 })
  await get({}, { huggingface: server.url })
  expect((await readFile(target())).equals(body)).toBe(true)
  expect(server.requests.map((request) => request.range)).toHaveLength(3)
  expect(of('retry')).toHaveLength(2)
  expect(of('retry')[0]?.reason).toBe('the connection was cut')
})

test('a server that breaks again and again without a byte is given up', async () => {
  const server = await hub({
    misbehave: (request, response) => {
      if (request.headers.range === undefined) return false
      response.destroy()
      return true
    },
    cutAfter: 1_000_000,
  })
  await expect(get({}, { huggingface: server.url })).rejects.toMatchObject({ kind: 'no-source' })
  expect(server.requests.length).toBeGreaterThan(3)
  expect((await stat(`${target()}.part`)).size).toBeGreaterThan(0)
})

test('a 503 in the middle is waited for', async () => {
  const server = await hub({
    cutAfter: 2_000_000,
    misbehave: (_, response, number) => {
      if (number !== 2) return false
      response.writeHead(503, { 'retry-after': '0' }).end()
      return true
    },
  })
  await get({}, { huggingface: server.url })
  expect((await readFile(target())).equals(body)).toBe(true)
})

test.each([
  [
    'a web page',
    (_: unknown, r: ServerResponse) => r.writeHead(200, { 'content-type': 'text/html' }).end('<html>Log in</html>'),
    /web page/,
  ],
  [
    'JSON',
    (_: unknown, r: ServerResponse) => r.writeHead(200).end(Buffer.alloc(body.length, '{"error": "gone"}')),
    /no GGUF file/,
  ],
  [
    'another length',
    (_: unknown, r: ServerResponse) => r.writeHead(200, { 'content-length': 2_999_999 }).end(body.subarray(1)),
    /2999999 bytes instead of 3000000/,
  ],
  [
    'more than it said',
    (_: unknown, r: ServerResponse) =>
      r.writeHead(200, { 'transfer-encoding': 'chunked' }).end(Buffer.concat([body, body])),
    /more than the 3000000 bytes/,
  ],
  ['404', (_: unknown, r: ServerResponse) => r.writeHead(404).end(), /answered 404/],
  ['401', (_: unknown, r: ServerResponse) => r.writeHead(401).end(), /not allowed without an account/],
  ['nothing', (_: unknown, r: ServerResponse) => r.writeHead(200).end(), /sent nothing/],
])('a source that sends %s is passed over and nothing of it is kept', async (_, answer, reason) => {
  const bad = await hub({
    misbehave: (request, response) => {
      answer(request, response)
      return true
    },
  })
  const good = await hub()
  await get({ sources: [first, second] }, { huggingface: bad.url, modelscope: good.url })
  expect(of('passed-over')[0]?.reason).toMatch(reason)
  expect((await readFile(target())).equals(body)).toBe(true)
  expect(good.requests[0]?.range).toBeUndefined()
})

test('a 416 for a file of known size means that the server has another file', async () => {
  await leavePart(body.subarray(0, 2_000_000))
  const short = await hub({ body: body.subarray(0, 1_500_000) })
  const good = await hub()
  await get({ sources: [first, second] }, { huggingface: short.url, modelscope: good.url })
  expect(of('passed-over')[0]?.reason).toMatch(/other than 3000000 bytes/)
  expect(good.requests[0]?.range).toBe('bytes=2000000-')
})

test('bytes with another digest are deleted and the next source is asked from the beginning', async () => {
  const forged = await hub({ body: modelBytes(3_000_000, 'forged') })
  const good = await hub()
  await get({ sources: [first, second] }, { huggingface: forged.url, modelscope: good.url })
  expect((await readFile(target())).equals(body)).toBe(true)
  expect(of('mismatch')).toMatchObject([{ source: 'Hugging Face', expected: sha256(body) }])
  expect(of('passed-over')[0]?.reason).toMatch(/SHA-256 differs/)
  expect(good.requests[0]?.range).toBeUndefined()
})

test('only forgeries to be had: no file, no part, the final name untouched', async () => {
  const forged = await hub({ body: modelBytes(3_000_000, 'forged') })
  await expect(get({}, { huggingface: forged.url })).rejects.toThrow(/SHA-256 differs/)
  expect(existsSync(target())).toBe(false)
  expect((await stat(`${target()}.part`)).size).toBe(0)
})

test('a spoilt part does not cost the source: it is asked once more from the beginning', async () => {
  await leavePart(modelBytes(1_000_000, 'spoilt'))
  const server = await hub()
  await get({}, { huggingface: server.url })
  expect((await readFile(target())).equals(body)).toBe(true)
  expect(server.requests.map((request) => request.range)).toEqual(['bytes=1000000-', undefined])
})

test('a part that is longer than the file is thrown away', async () => {
  await leavePart(Buffer.concat([body, body]))
  const server = await hub()
  await get({}, { huggingface: server.url })
  expect((await readFile(target())).equals(body)).toBe(true)
})

test('a server that does not answer is passed over, and asked again with patience when no other has the file', async () => {
  const slow = await hub({ misbehave: (_, __, number) => number === 1 })
  const began = performance.now()
  await get({ sources: [first, second] }, { huggingface: slow.url })
  expect(of('passed-over').map((event) => event.reason)).toEqual(['no answer within 3 s', 'connection refused'])
  expect((await readFile(target())).equals(body)).toBe(true)
  expect(performance.now() - began).toBeLessThan(6_000)
})

test('an abort is at once, and what came stays', async () => {
  const server = await hub({ speed: 1_000_000 })
  const controller = new AbortController()
  const running = get({}, { huggingface: server.url }, controller.signal)
  await expect.poll(() => of('progress').length, { timeout: 20_000 }).toBeGreaterThan(2)
  const began = performance.now()
  controller.abort()
  await expect(running).rejects.toMatchObject({ name: 'AbortError' })
  expect(performance.now() - began).toBeLessThan(100)
  expect(existsSync(target())).toBe(false)
  const kept = (await stat(`${target()}.part`)).size
  expect(kept).toBeGreaterThan(0)
  expect((await readFile(`${target()}.part`)).equals(body.subarray(0, kept))).toBe(true)
  expect(await readdir(join(folder, 'models'))).toEqual(['model.gguf.part'])
})

test('too little room on the disk is told before the first request, with both numbers', async () => {
  const server = await hub()
  const request = get({ bytes: 2 ** 60 }, { huggingface: server.url })
  await expect(request).rejects.toMatchObject({ kind: 'disk-space' })
  await expect(request).rejects.toThrow(/needs 1,152,921,.* MB in .* MB are free there/)
  expect(server.requests).toEqual([])
})

test('a folder that cannot be made is an error that names it', async () => {
  await writeFile(join(folder, 'models'), 'a file')
  await expect(get({}, {})).rejects.toMatchObject({ name: 'DownloadError', kind: 'io' })
})

const unknown = { bytes: undefined, sha256: undefined }

test('a file of unknown digest is taken up again only while the server vouches for its version', async () => {
  const before = await hub({ etag: '"one"', cutAfter: 2_000_000, speed: 4_000_000 })
  const controller = new AbortController()
  const running = get(unknown, { huggingface: before.url }, controller.signal)
  await expect.poll(() => of('progress').length, { timeout: 20_000 }).toBeGreaterThan(1)
  controller.abort()
  await expect(running).rejects.toThrow()
  const kept = (await stat(`${target()}.part`)).size
  expect(kept).toBeGreaterThan(0)
  await get(unknown, { huggingface: before.url })
  expect(before.requests[1]?.range).toBe(`bytes=${kept}-`)
  expect((await readFile(target())).equals(body)).toBe(true)
  expect(await readdir(join(folder, 'models'))).toEqual(['model.gguf'])
})

test('a file of unknown digest that changed meanwhile is fetched from the beginning', async () => {
  await leavePart(modelBytes(1_000_000, 'old version'))
  const server = await hub({ etag: '"two"' })
  await writeFile(`${target()}.part.tag`, `${server.url}/some/repo/resolve/main/model.gguf\n"one"\n`)
  await get(unknown, { huggingface: server.url })
  expect((await readFile(target())).equals(body)).toBe(true)
})

test('a proxy that the environment names is used, and one that refuses is a reason to pass over', async () => {
  const server = await hub()
  const asked: string[] = []
  // Plain addresses are asked for whole, encrypted ones through a tunnel (RFC 9110, section 9.3.6).
  const proxy = createServer((request, response) => {
    asked.push(request.url ?? '')
    const path = new URL(request.url ?? '').pathname
    httpGet(new URL(path, server.url), (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
  }).on('connect', (request, socket) => {
    asked.push(request.url ?? '')
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  for (const [name, value] of Object.entries({
    NO_PROXY: '',
    no_proxy: '',
    http_proxy: address,
    https_proxy: address,
  })) {
    vi.stubEnv(name, value)
  }
  try {
    await get(
      { sources: [first, second] },
      { huggingface: 'https://refused.invalid', modelscope: 'http://hub.invalid' },
    )
  } finally {
    vi.unstubAllEnvs()
    proxy.closeAllConnections()
    proxy.close()
  }
  expect(asked).toEqual(['refused.invalid:443', 'http://hub.invalid/models/some/repo/resolve/master/model.gguf'])
  expect(of('passed-over')[0]?.reason).toBe('the proxy refuses it')
  expect((await readFile(target())).equals(body)).toBe(true)
})

test('a file that the check refuses is deleted', async () => {
  const server = await hub()
  const check = async (): Promise<void> => {
    throw new Error('no tensors')
  }
  await expect(get({ ...unknown, check }, { huggingface: server.url })).rejects.toThrow(/no usable model.*no tensors/)
  expect(existsSync(target())).toBe(false)
})
