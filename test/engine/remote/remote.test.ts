import { afterEach, describe, expect, test } from 'vitest'
import {
  type Message,
  type ModelEvent,
  type ModelSession,
  openRemote,
  type RemoteOptions,
  RemoteSetupError,
  type RespondOptions,
} from '../../../engine/index.ts'
import { tools } from '../dialects/parse.ts'
import { chunk, events, type FakeServer, fakeServer, type Handler, says, status, usage } from './fake-server.ts'

const system: Message = { role: 'system', text: 'You code.', tools }
const user = (text: string): Message => ({ role: 'user', text })
const readDelta = (args: string) => ({ index: 0, function: { arguments: args } })
const readStart = { index: 0, id: 'abc', type: 'function', function: { name: 'read', arguments: '' } }
const json = '{"path":"a.py"}'

let server: FakeServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

async function open(handlers: readonly Handler[], options: Partial<RemoteOptions> = {}): Promise<ModelSession> {
  server = await fakeServer(...handlers)
  const model = openRemote({
    baseUrl: server.baseUrl,
    model: 'm',
    retries: { count: 2, seconds: 3, firstSeconds: 0.01 },
    ...options,
  })
  return model.start([{ name: 'system', messages: [system, user('go')] }])
}

async function answer(session: ModelSession, options: Partial<RespondOptions> = {}): Promise<ModelEvent[]> {
  const seen: ModelEvent[] = []
  const whole = { signal: new AbortController().signal, maxTokens: 100, ...options }
  for await (const event of session.respond(whole)) seen.push(event)
  return seen
}

const types = (seen: readonly ModelEvent[]) => seen.map((event) => event.type)

describe('a remote session', () => {
  test('streams reasoning, text and calls, and tells what it cost', async () => {
    const session = await open([
      events([
        chunk({ reasoning_content: 'hm' }),
        chunk({ content: 'I look' }),
        chunk({ content: '.' }),
        chunk({ tool_calls: [readStart] }),
        ...json.split('').map((letter) => chunk({ tool_calls: [readDelta(letter)] })),
        chunk({}, 'tool_calls'),
        usage(100, 20, 64),
      ]),
    ])
    const seen = await answer(session)
    expect(seen.at(-1)).toMatchObject({
      type: 'done',
      stop: 'end',
      message: { reasoning: 'hm', text: 'I look.', calls: [{ id: 'abc', name: 'read', arguments: { path: 'a.py' } }] },
      usage: { promptTokens: 100, cachedTokens: 64, evaluatedTokens: 36, generatedTokens: 20 },
    })
    expect(seen.find((event) => event.type === 'call-start')).toMatchObject({ name: 'read' })
    expect(seen.map((event) => (event.type === 'call-delta' ? event.text : '')).join('')).toBe(json)
    expect(session.contextTokens).toBe(120)
  })

  test('request n is a strict prefix of request n+1, to the byte', async () => {
    const call = events([
      chunk({ tool_calls: [{ ...readStart, function: { name: 'read', arguments: json } }] }),
      chunk({}, 'tool_calls'),
    ])
    const session = await open([call, call, says('done')])
    for (let round = 0; round < 3; round += 1) {
      const last = (await answer(session)).at(-1)
      if (last?.type !== 'done') throw new Error('no end')
      await session.append(
        last.message.calls.map(({ id, name }) => ({ role: 'tool', callId: id, name, text: `r${round}`, ok: true })),
      )
    }
    await session.append([user('more')])
    await answer(session)
    const bodies = server?.requests.map((request) => request.body) ?? []
    expect(bodies).toHaveLength(4)
    for (const [index, body] of bodies.entries()) {
      if (index > 0) expect(body.startsWith(bodies[index - 1]!.slice(0, -2))).toBe(true)
    }
    const sent = JSON.parse(bodies[3]!)
    expect(sent.messages.map((message: { role: string }) => message.role)).toEqual([
      'system',
      'user',
      'assistant',
      'tool',
      'assistant',
      'tool',
      'assistant',
      'user',
    ])
    // The second call had a used id: it got one of its own, and its result names that.
    expect(sent.messages[4].tool_calls[0].id).not.toBe('abc')
    expect(sent.messages[5].tool_call_id).toBe(sent.messages[4].tool_calls[0].id)
    expect(sent.tools[0]).toEqual({ type: 'function', function: tools[0] })
    expect(sent.stream_options).toEqual({ include_usage: true })
  })

  test('the key goes into the header and nowhere else; without one there is no header', async () => {
    const keyed = await open([says('x')], { apiKey: 'sk-secret ' })
    await answer(keyed)
    expect(server?.requests[0]?.headers.authorization).toBe('Bearer sk-secret')
    expect(server?.requests[0]?.body).not.toContain('secret')
    await server?.close()
    await answer(await open([says('x')]))
    expect(server?.requests[0]?.headers.authorization).toBeUndefined()
    expect(server?.requests[0]?.url).toBe('/v1/chat/completions')
  })

  test('a server that does not stream', async () => {
    const message = {
      role: 'assistant',
      content: 'Hi',
      tool_calls: [
        { id: '', function: { name: 'read', arguments: { path: 'a.py' } } },
        { id: '', function: { name: 'list', arguments: '{}' } },
      ],
    }
    const session = await open([status(200, { choices: [{ index: 0, message, finish_reason: 'tool_calls' }] })])
    expect((await answer(session)).at(-1)).toMatchObject({
      message: {
        text: 'Hi',
        calls: [
          { id: 'call_1', name: 'read', arguments: { path: 'a.py' } },
          { id: 'call_2', name: 'list', arguments: {} },
        ],
      },
    })
  })

  test('thinking in the content is reasoning', async () => {
    const session = await open([
      events([chunk({ content: '<thi' }), chunk({ content: 'nk>a</think>\n\nb' }), chunk({}, 'stop')]),
    ])
    expect((await answer(session)).at(-1)).toMatchObject({ message: { reasoning: 'a', text: 'b' } })
  })

  test('checkpoint, rewind and fork are lists of messages', async () => {
    const session = await open([says('one')])
    const checkpoint = await session.checkpoint()
    await answer(session)
    const fork = await session.fork()
    await session.rewind(checkpoint)
    await answer(session)
    await answer(fork)
    const sent = server?.requests.map((request) => JSON.parse(request.body).messages.length)
    expect(sent).toEqual([2, 2, 3])
  })
})

describe('calls in pieces', () => {
  const two = (deltas: readonly unknown[]) =>
    events([...deltas.map((delta) => chunk({ tool_calls: [delta] })), chunk({}, 'tool_calls')])
  const both = [
    { name: 'read', arguments: { path: 'a.py' } },
    { name: 'list', arguments: {} },
  ]
  test.each([
    ['indices', [readStart, readDelta(json), { index: 1, id: 'b', function: { name: 'list', arguments: '{}' } }]],
    [
      'no indices',
      [
        { id: 'a', function: { name: 'read', arguments: '{"path":' } },
        { function: { arguments: '"a.py"}' } },
        { id: 'b', function: { name: 'list', arguments: '{}' } },
      ],
    ],
    [
      'no indices and no ids',
      [{ function: { name: 'read', arguments: json } }, { function: { name: 'list', arguments: '{}' } }],
    ],
    [
      'every index 0',
      [
        { index: 0, id: 'a', function: { name: 'read', arguments: json } },
        { index: 0, id: 'b', function: { name: 'list', arguments: '{}' } },
      ],
    ],
    [
      'the same id',
      [
        { index: 0, id: 'a', function: { name: 'read', arguments: json } },
        { index: 1, id: 'a', function: { name: 'list', arguments: '{}' } },
      ],
    ],
    [
      'empty ids',
      [
        { index: 0, id: '', function: { name: 'read', arguments: json } },
        { index: 1, id: '', function: { name: 'list', arguments: '' } },
      ],
    ],
    [
      'the name each time',
      [
        { ...readStart },
        { index: 0, id: 'abc', function: { name: 'read', arguments: json } },
        { index: 1, id: 'b', function: { name: 'list', arguments: '{}' } },
      ],
    ],
    [
      'the name in pieces',
      [
        { index: 0, id: 'a', function: { name: 're' } },
        { index: 0, function: { name: 'ad', arguments: json } },
        { index: 1, id: 'b', function: { name: 'list', arguments: null } },
      ],
    ],
    [
      'interleaved',
      [
        readStart,
        { index: 1, id: 'b', function: { name: 'list', arguments: '{' } },
        readDelta(json),
        { index: 1, function: { arguments: '}' } },
      ],
    ],
  ])('%s', async (_, deltas) => {
    const last = (await answer(await open([two(deltas)]))).at(-1)
    if (last?.type !== 'done') throw new Error('no end')
    expect(last.message.calls.map(({ name, arguments: input }) => ({ name, arguments: input }))).toEqual(both)
    expect(new Set(last.message.calls.map((call) => call.id)).size).toBe(2)
  })

  test('slightly broken arguments are repaired, cut ones are malformed', async () => {
    const repaired = await answer(
      await open([two([{ ...readStart, function: { name: 'read', arguments: "{path: 'a.py',}" } }])]),
    )
    expect(repaired.at(-1)).toMatchObject({ message: { calls: [{ arguments: { path: 'a.py' } }] } })
    await server?.close()
    const cut = events([
      chunk({ tool_calls: [readStart] }),
      chunk({ tool_calls: [readDelta('{"path":"a.')] }),
      chunk({}, 'length'),
    ])
    const seen = await answer(await open([cut]))
    expect(types(seen)).toContain('malformed')
    expect(seen.at(-1)).toMatchObject({ type: 'done', stop: 'length', message: { calls: [] } })
  })

  test('bytes split anywhere', async () => {
    const whole = [
      chunk({ content: 'wörter 🐋' }),
      chunk({ tool_calls: [{ ...readStart, function: { name: 'read', arguments: json } }] }),
      chunk({}, 'tool_calls'),
    ]
      .map((line) => `data: ${line}\n\n`)
      .join('')
    const bytes = Buffer.from(`${whole}data: [DONE]\n\n`)
    const session = await open([
      async (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        for (const byte of bytes) {
          response.write(Buffer.from([byte]))
          await new Promise((resolve) => setImmediate(resolve))
        }
        response.end()
      },
    ])
    expect((await answer(session)).at(-1)).toMatchObject({ message: { text: 'wörter 🐋', calls: [{ id: 'abc' }] } })
  })
})

describe('one fault is survived', () => {
  test.each<[string, Handler]>([
    ['500', status(500, { error: { message: 'oops' } })],
    ['503', status(503, 'busy', { 'content-type': 'text/plain' })],
    ['429 with seconds', status(429, { error: { message: 'slow down' } }, { 'retry-after': '0.1' })],
    ['429 with a date', status(429, '', { 'retry-after': new Date(Date.now() + 2_000).toUTCString() })],
    ['a cut before the first word', events([], { cut: true })],
    ['an end before the first word', events([], { done: false })],
    ['a stream that is not JSON', events(['{"choices": [{"del'])],
    ['an error in the stream', events(['{"error": {"message": "overloaded"}}'])],
    ['a reset', (response) => void response.destroy()],
    ['an answer without a reply', status(200, {})],
  ])('%s', async (_, fault) => {
    const session = await open([fault, says('fine')])
    const seen = await answer(session)
    expect(types(seen)).toEqual(['notice', 'text', 'done'])
    expect(seen.at(-1)).toMatchObject({ message: { text: 'fine' } })
    expect(server?.requests).toHaveLength(2)
    expect(server?.requests[1]?.body).toBe(server?.requests[0]?.body)
  })

  test('no end marker after a finish reason', async () => {
    const session = await open([events([chunk({ content: 'fine' }), chunk({}, 'stop')], { done: false })])
    expect((await answer(session)).at(-1)).toMatchObject({ type: 'done', message: { text: 'fine' } })
    expect(server?.requests).toHaveLength(1)
  })

  test('fields that the server does not know are left out from then on', async () => {
    const session = await open([
      status(400, { error: { message: "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead." } }),
      status(400, { error: { message: 'stream_options is not permitted' } }),
      says('fine'),
    ])
    expect(types(await answer(session))).toEqual(['text', 'done'])
    const sent = JSON.parse(server?.requests[2]?.body ?? '')
    expect(sent).toMatchObject({ max_completion_tokens: 100 })
    expect(sent.max_tokens).toBeUndefined()
    expect(sent.stream_options).toBeUndefined()
  })
})

describe('failures are told', () => {
  const failure = (seen: readonly ModelEvent[]) => {
    const last = seen.at(-1)
    if (last?.type !== 'error') throw new Error(`no error: ${JSON.stringify(last)}`)
    return last.failure
  }

  test('a stream that breaks after something was shown is not repeated, and nothing of it stays', async () => {
    const session = await open([events([chunk({ content: 'half' })], { cut: true }), says('fine')])
    const seen = await answer(session)
    expect(failure(seen).retryable).toBe(true)
    expect(server?.requests).toHaveLength(1)
    await answer(session)
    expect(server?.requests[1]?.body).toBe(server?.requests[0]?.body)
  })

  test.each([
    [400, { error: { message: 'bad \u001b[31mfield' } }, 'refused', /answered 400: bad \[31mfield\./],
    [400, { error: { message: 'maximum context length is 4096 tokens' } }, 'context-full', /Start a new session/],
    [401, { error: 'wrong key sk-secret' }, 'refused', /wrong key \*\*\*\. Check the API key in the variable MY_KEY/],
    [402, { error: { message: 'Insufficient Balance' } }, 'refused', /Insufficient Balance\. .* topped up/],
    [404, { detail: 'no such model' }, 'refused', /no such model\. Check --model \(now "m"\)/],
    [302, '', 'refused', /redirects to http:\/\/evil\.test/],
    [400, `<html><style>x</style><p>${'a '.repeat(500)}</p>`, 'refused', /…/],
  ])('%i', async (code, body, kind, message) => {
    const session = await open([status(code, body, { location: 'http://evil.test/' })], {
      apiKey: 'sk-secret',
      apiKeyEnv: 'MY_KEY',
    })
    const told = failure(await answer(session))
    expect(told).toMatchObject({ kind, retryable: false })
    expect(told.message).toMatch(message)
    expect(told.message).toContain(`${server?.baseUrl} answered ${code}`)
    expect(told.message.length).toBeLessThan(600)
    expect(told.message).not.toMatch(/sk-secret|[\u0000-\u001f]/)
    expect(server?.requests).toHaveLength(1)
  })

  test('500 for ever ends after the tries that are allowed', async () => {
    const session = await open([status(500, 'x')], { retries: { count: 2, seconds: 3, firstSeconds: 0.01 } })
    expect(failure(await answer(session))).toMatchObject({ kind: 'unreachable', retryable: true })
    expect(server?.requests).toHaveLength(3)
  })

  test('a wait longer than the budget is not waited for', async () => {
    const session = await open([status(429, '', { 'retry-after': '3600' })])
    const began = Date.now()
    expect(failure(await answer(session))).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('try again in 60 min, which it asks for'),
    })
    expect(Date.now() - began).toBeLessThan(1_000)
  })

  test('nobody listens', async () => {
    const session = await open([says('x')], { retries: { count: 1, seconds: 3, firstSeconds: 0.01 } })
    await server?.close()
    const seen = await answer(session)
    expect(types(seen)).toEqual(['notice', 'error'])
    expect(failure(seen)).toMatchObject({
      kind: 'unreachable',
      message: expect.stringMatching(/connection refused.*Start the server/),
    })
  })

  test('no such host', async () => {
    const session = await open([says('x')], { baseUrl: 'http://no-such-host.invalid/v1' })
    expect(failure(await answer(session))).toMatchObject({ kind: 'unreachable' })
  })

  test('silence', async () => {
    const session = await open([() => undefined], { idleSeconds: 0.2 })
    expect(failure(await answer(session))).toMatchObject({ kind: 'timeout', retryable: true })
    expect(server?.requests).toHaveLength(1)
  })

  test('silence in the middle', async () => {
    const session = await open(
      [
        (response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' })
          response.write(`data: ${chunk({ content: 'half' })}\n\n`)
        },
      ],
      { idleSeconds: 0.2 },
    )
    expect(failure(await answer(session))).toMatchObject({ kind: 'timeout' })
  })

  test('an answer without end, from a server that does not count', async () => {
    const left = Promise.withResolvers<void>()
    const session = await open([
      (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        const more = (): void => {
          if (!response.destroyed)
            response.write(`data: ${chunk({ content: 'blah '.repeat(50) })}\n\n`, () => setImmediate(more))
        }
        response.on('close', () => left.resolve())
        more()
      },
    ])
    expect((await answer(session)).at(-1)).toMatchObject({ type: 'done', stop: 'length' })
    await left.promise
    expect(server?.requests).toHaveLength(1)
  })

  test('without a key, 401 says how to give one', async () => {
    const told = failure(await answer(await open([status(401, 'no')])))
    expect(told.message).toMatch(/into a variable and name that one: --api-key-env NAME/)
  })

  test('something else than a completion, once', async () => {
    const session = await open([status(200, 'It works!', { 'content-type': 'text/plain' })])
    expect(failure(await answer(session))).toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(/answered with text\/plain \(It works!\) where .*\/v1/),
    })
    expect(server?.requests).toHaveLength(1)
  })

  test('plain HTTP where TLS was asked for, once', async () => {
    await open([status(200, '')])
    const model = openRemote({ baseUrl: server!.baseUrl.replace('http:', 'https:'), model: 'm' })
    const told = failure(await answer(await model.start([])))
    expect(told.message).toMatch(/does not speak TLS\. Write http:\/\//)
  })

  test('a web page', async () => {
    const session = await open([status(200, '<html>', { 'content-type': 'text/html' })])
    expect(failure(await answer(session))).toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(/web page.*\/v1/),
    })
  })
})

describe('aborts', () => {
  test.each<[string, Handler]>([
    ['while waiting for the first word', () => undefined],
    ['while waiting to ask again', status(429, '', { 'retry-after': '2' })],
  ])('%s', async (_, handler) => {
    const session = await open([handler])
    const began = Date.now()
    const seen = await answer(session, { signal: AbortSignal.timeout(100) })
    expect(seen.at(-1)).toMatchObject({ type: 'done', stop: 'aborted', message: { text: '', calls: [] } })
    expect(Date.now() - began).toBeLessThan(1_000)
  })

  test('in the middle: the words stay, half a call does not', async () => {
    const controller = new AbortController()
    const session = await open([
      (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(
          `data: ${chunk({ content: 'half' })}\n\ndata: ${chunk({ tool_calls: [{ ...readStart, function: { name: 'read', arguments: json } }] })}\n\n`,
        )
        setTimeout(() => controller.abort(), 50)
      },
      says('fine'),
    ])
    expect((await answer(session, { signal: controller.signal })).at(-1)).toMatchObject({
      stop: 'aborted',
      message: { text: 'half', calls: [] },
    })
    await session.append([user('go on')])
    await answer(session)
    const sent = JSON.parse(server?.requests[1]?.body ?? '').messages.slice(2)
    expect(sent).toEqual([
      { role: 'assistant', content: 'half' },
      { role: 'user', content: 'go on' },
    ])
  })
})

test.each([
  ['ftp://x', /http:\/\//],
  ['localhost:8080', /http:\/\//],
  ['http://me:sk-secret@x/v1', /api-key-env/],
])('the base URL %s is refused with the way to write it', (baseUrl, message) => {
  expect(() => openRemote({ baseUrl, model: 'm' })).toThrow(message)
  expect(() => openRemote({ baseUrl, model: 'm' })).not.toThrow(/sk-secret/)
})

test('a key with a line break is refused without being shown', () => {
  const make = () => openRemote({ baseUrl: 'http://x', model: 'm', apiKey: 'sk-sec\nret' })
  expect(make).toThrow(RemoteSetupError)
  expect(make).not.toThrow(/sk-sec/)
})
