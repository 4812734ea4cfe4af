/** What the server refuses, and how requests wait for each other. */
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { scriptedModel } from '../../../engine/index.ts'
import { mostBodyBytes } from '../../../src/serve/body.ts'
import { turnstile } from '../../../src/serve/turnstile.ts'
import { listening, type Served, served, token } from './served.ts'

let server: Pick<Served, 'close'> | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})
const open = async (): Promise<Served> => {
  const opened = await served({ reply: () => 'Yes.<|im_end|>' })
  server = opened
  return opened
}

const hi = { model: 'fake', messages: [{ role: 'user', content: 'Hi' }] }
const post = (body: object | string): RequestInit => ({
  method: 'POST',
  body: typeof body === 'string' ? body : JSON.stringify(body),
})

test.each<[string, object | string, number, RegExp]>([
  ['no JSON', '{', 400, /not JSON/],
  ['no messages', { model: 'fake' }, 400, /messages: /],
  ['another model', { ...hi, model: 'gpt-5' }, 404, /"gpt-5" is not served here; ask for "fake"/],
  [
    'an image',
    { ...hi, messages: [{ role: 'user', content: [{ type: 'image_url' }] }] },
    400,
    /"image_url" is not read/,
  ],
  ['several choices', { ...hi, n: 2 }, 400, /one choice/],
  ['a forced call', { ...hi, tool_choice: 'required' }, 400, /cannot be made to call/],
  ['a schema', { ...hi, response_format: { type: 'json_schema' } }, 400, /cannot be promised/],
  [
    'a result of no call',
    { ...hi, messages: [{ role: 'tool', tool_call_id: 'x', content: '' }] },
    400,
    /no message before/,
  ],
  ['a reply begun', { ...hi, messages: [{ role: 'assistant', content: 'I' }] }, 400, /End with a message of the user/],
  ['too long', { ...hi, messages: [{ role: 'user', content: 'x'.repeat(30_000) }] }, 400, /context holds 20000/],
])('%s: a clear error', async (_, body, status, words) => {
  const { fetch } = await open()
  const response = await fetch('/v1/chat/completions', post(body))
  const { error } = (await response.json()) as { error: { message: string } }
  expect(error.message).toMatch(words)
  expect(response.status).toBe(status)
})

test('errors have the shape of the protocol', async () => {
  const { anthropic, openai, fetch } = await open()
  await expect(
    anthropic.messages.create({ model: 'x', max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] }),
  ).rejects.toMatchObject({ status: 404, error: { type: 'error', error: { type: 'not_found_error' } } })
  await expect(openai.responses.create({ model: 'fake', input: 'Hi', previous_response_id: 'r' })).rejects.toThrow(
    /responses are not stored/,
  )
  expect((await fetch('/v1/embeddings', post({}))).status).toBe(404)
})

test('who has no token, another host name or a page gets nothing', async () => {
  const { url, fetch } = await open()
  for (const headers of [{}, { authorization: 'Bearer wrong' }, { 'x-api-key': '' }] as Record<string, string>[]) {
    const answer = await globalThis.fetch(`${url}/v1/models`, { headers })
    expect(answer.status).toBe(401)
    expect(await answer.text()).toMatch(/token/)
  }
  expect((await fetch('/v1/models', { headers: { 'x-api-key': token } })).status).toBe(200)
  expect((await fetch('/v1/models', { headers: { origin: 'https://example.org' } })).status).toBe(403)
  // `fetch` would not send another host name.
  const status = await new Promise((resolve, reject) => {
    const headers = { host: 'evil.example:80', authorization: `Bearer ${token}` }
    request(`${url}/v1/models`, { headers }, (response) => resolve(response.resume().statusCode))
      .on('error', reject)
      .end()
  })
  expect(status).toBe(403)
})

test('a body beyond the limit is refused, told or not', async () => {
  const { url } = await open()
  const send = (headers: Record<string, string | number>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const options = { method: 'POST', headers: { authorization: `Bearer ${token}`, ...headers } }
      const asked = request(`${url}/v1/messages`, options, (response) => resolve(response.resume().statusCode))
      // The server does not read the rest.
      asked.on('error', (error: NodeJS.ErrnoException) =>
        error.code === 'EPIPE' || error.code === 'ECONNRESET' ? undefined : reject(error),
      )
      if (headers['content-length'] === undefined) {
        // In chunks: how much it is, is not told.
        asked.write(Buffer.alloc(mostBodyBytes, 32))
        asked.end('  ')
      } else asked.flushHeaders()
    })
  expect(await send({ 'content-length': mostBodyBytes + 1 })).toBe(413)
  expect(await send({})).toBe(413)
})

test('a client that goes away ends its answer, and the next one is served', async () => {
  const model = scriptedModel((_, index) => ({ text: 'word '.repeat(index === 0 ? 5000 : 1), chunkMs: 20 }))
  const opened = await listening(model)
  server = opened
  const gone = new AbortController()
  const first = await opened.fetch('/v1/chat/completions', {
    ...post({ model: 'scripted', stream: true, messages: [{ role: 'user', content: 'Talk' }] }),
    signal: gone.signal,
  })
  await first.body?.getReader().read()
  const second = opened.openai.chat.completions.create({
    model: 'scripted',
    messages: [{ role: 'user', content: 'Hi' }],
  })
  while ((await opened.metric('requests_waiting')) !== 1) await sleep(10)
  const since = performance.now()
  gone.abort()
  expect((await second).choices[0]?.message.content).toContain('word')
  expect(performance.now() - since).toBeLessThan(3000)
  expect(await opened.metric('requests_running')).toBe(0)
})

test('an error in the middle of a stream reaches the client', async () => {
  const failure = { kind: 'engine-died', message: 'The engine host is gone.' } as const
  const opened = await listening(scriptedModel([{ text: 'I was about to', failure }]))
  server = opened
  const stream = await opened.openai.chat.completions.create({
    model: 'scripted',
    messages: [{ role: 'user', content: 'Hi' }],
    stream: true,
  })
  await expect(async () => {
    for await (const _ of stream);
  }).rejects.toThrow(/engine host is gone/)
})

test('clients take turns; one that leaves the line is left out; too many are told so', async () => {
  const turns = turnstile(1, 4)
  const never = new AbortController().signal
  const served: string[] = []
  const leave = await turns.enter('a', never)
  const ask = (client: string, name: string, signal = never): Promise<void> =>
    turns.enter(client, signal).then((end) => {
      served.push(name)
      end()
    })
  const impatient = new AbortController()
  const all = [ask('a', 'a1'), ask('a', 'a2'), ask('b', 'b1')]
  const left = ask('c', 'c1', impatient.signal)
  await expect(ask('d', 'd1')).rejects.toMatchObject({ status: 429, retryAfter: 5 })
  impatient.abort()
  await expect(left).rejects.toThrow()
  leave()
  await Promise.all(all)
  expect(served).toEqual(['b1', 'a1', 'a2'])
  expect(turns).toMatchObject({ waiting: 0, running: 0 })
})
