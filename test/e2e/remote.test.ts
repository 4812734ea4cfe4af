/** The same loop and tools with a model behind an OpenAI-compatible endpoint. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeOpenAi, startFakeOpenAi } from '../fake-openai/server.ts'
import { editCall } from './calls.ts'
import { eventsOf, type Scratch, scratch } from './program.ts'

let place: Scratch
let server: FakeOpenAi | undefined
beforeEach(() => {
  place = scratch({ 'a.txt': 'one\n' })
})
afterEach(async () => {
  place.remove()
  await server?.close()
})

const replies = [{ reasoning: 'Hm.', text: 'Now.', calls: [editCall('a.txt', 'one', 'two')] }, { text: 'Changed.' }]

test('an edit through an endpoint', async () => {
  server = await startFakeOpenAi(replies)
  const words = [
    'run',
    'Change a.txt',
    '--json',
    '--base-url',
    server.baseUrl,
    '--model',
    'fake',
    '--api-key-env',
    'KEY',
  ]
  const { stdout, exitCode } = await place.run(words, { env: { KEY: 'sekret' } })
  expect(eventsOf(stdout).at(-1)).toMatchObject({ type: 'result', exit: 'done' })
  expect(exitCode).toBe(0)
  expect(place.read('a.txt')).toBe('two\n')
  expect(String(stdout)).not.toContain('sekret')
  const [first, second] = server.requests
  expect(server.requests).toHaveLength(2)
  expect(first?.headers['authorization']).toBe('Bearer sekret')
  expect(first?.body).toMatchObject({ model: 'fake', stream: true })
  const asked = first?.body.messages ?? []
  expect(second?.body.messages.slice(0, asked.length)).toEqual(asked)
})

test('the effort is a session’s: it is gone on with as it began, and another one is refused', async () => {
  server = await startFakeOpenAi([{ reasoning: 'Hm.', text: 'Yes.' }])
  const run = (...flags: readonly string[]) =>
    place.run(['run', 'What is in a.txt?', '--preset', 'vllm', '--base-url', server!.baseUrl, ...flags])
  expect((await run('--effort', 'low')).exitCode).toBe(0)
  expect((await run('--resume', 'last')).exitCode).toBe(0)
  const other = await run('--resume', 'last', '--effort', 'off')
  expect(other.stderr).toMatch(/was begun with effort low.* --effort low; another one takes a new session/)
  expect(other.exitCode).toBe(3)
  const asked = server.requests.map(({ body }) => JSON.stringify(body))
  expect(asked).toHaveLength(2)
  for (const body of asked) expect(body).toContain('"reasoning_effort":"low"')
  expect(asked[1]).toContain('"reasoning_content":"Hm."')
})

test('nobody there: exit 3 in bounded time, with the address', async () => {
  const { stderr, exitCode, durationMs } = await place.run([
    'run',
    'Hi',
    '--base-url',
    'http://127.0.0.1:9/v1',
    '--model',
    'x',
  ])
  expect(stderr).toContain('127.0.0.1:9')
  expect(exitCode).toBe(3)
  expect(durationMs).toBeLessThan(30_000)
})

test('a refused key: exit 3, and it is not asked again', async () => {
  server = await startFakeOpenAi(replies, { 0: { kind: 'status', status: 401 } })
  const { exitCode } = await place.run(['run', 'Hi', '--base-url', server.baseUrl, '--model', 'x'])
  expect(exitCode).toBe(3)
  expect(server.requests).toHaveLength(1)
})

test.each([
  ['a server error', { kind: 'status', status: 500 }],
  ['too many requests', { kind: 'status', status: 429, headers: { 'retry-after': '1' } }],
  ['a cut stream', { kind: 'cut', chunks: 2 }],
] as const)('%s is survived, and no finished tool runs again', async (_, fault) => {
  server = await startFakeOpenAi(replies, { 1: fault })
  const { stdout, exitCode } = await place.run([
    'run',
    'Change a.txt',
    '--json',
    '--base-url',
    server.baseUrl,
    '--model',
    'x',
  ])
  expect(eventsOf(stdout).filter((event) => event.type === 'tool-result')).toHaveLength(1)
  expect(exitCode).toBe(0)
  expect(place.read('a.txt')).toBe('two\n')
})

test('the variable of the key is not set: exit 2 before anything is sent', async () => {
  server = await startFakeOpenAi(replies)
  const words = ['run', 'Hi', '--base-url', server.baseUrl, '--model', 'x', '--api-key-env', 'NOT_SET']
  const { stderr, exitCode } = await place.run(words)
  expect(stderr).toContain('NOT_SET')
  expect(exitCode).toBe(2)
  expect(server.requests).toHaveLength(0)
})
