import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Message, ModelEvent, ModelSession, RespondOptions } from '../../../engine/index.ts'
import { loadScript, parseScript, ScriptError, scriptedModel } from '../../../engine/index.ts'

const system: Message = { role: 'system', text: 'You code.', tools: [] }
const user: Message = { role: 'user', text: 'hello' }
const prefix = [{ name: 'system' as const, messages: [system] }]

async function answer(session: ModelSession, options: Partial<RespondOptions> = {}): Promise<ModelEvent[]> {
  const events: ModelEvent[] = []
  const whole = { signal: new AbortController().signal, maxTokens: 100, ...options }
  for await (const event of session.respond(whole)) events.push(event)
  return events
}

const joined = (events: readonly ModelEvent[], type: 'text' | 'reasoning') =>
  events.map((event) => (event.type === type ? event.text : '')).join('')

describe('a scripted model', () => {
  test('replays reasoning, text, calls and the end in order', async () => {
    const model = scriptedModel([
      { reasoning: 'hm', text: 'I read it. '.repeat(20), calls: [{ name: 'read', arguments: { path: 'a.py' } }] },
    ])
    const session = await model.start(prefix)
    await session.append([user])
    const events = await answer(session)
    expect(joined(events, 'reasoning')).toBe('hm')
    expect(joined(events, 'text')).toBe('I read it. '.repeat(20))
    const last = events.at(-1)
    expect(last).toMatchObject({
      type: 'done',
      stop: 'end',
      message: { role: 'assistant', calls: [{ id: 'call_1', name: 'read', arguments: { path: 'a.py' } }] },
    })
    expect(events.map((event) => event.type).filter((type, i, all) => type !== all[i - 1])).toEqual([
      'prefill',
      'reasoning',
      'text',
      'call-start',
      'call-delta',
      'call',
      'done',
    ])
  })

  test('request n is a strict prefix of request n+1, and the first one is cached', async () => {
    const model = scriptedModel([{ text: 'one' }, { text: 'two' }])
    const session = await model.start(prefix)
    await session.append([user])
    await answer(session)
    await session.append([{ role: 'user', text: 'more' }])
    const events = await answer(session)
    const [first, second] = model.requests
    expect(second?.messages.slice(0, first?.messages.length)).toEqual(first?.messages)
    expect(second?.messages.map((message) => message.role)).toEqual(['system', 'user', 'assistant', 'user'])
    const done = events.at(-1)
    if (done?.type !== 'done') throw new Error('no end')
    expect(done.usage.cachedTokens).toBeGreaterThan(0)
    expect(done.usage.evaluatedTokens).toBeGreaterThan(0)
    expect(done.usage.promptTokens).toBe(done.usage.cachedTokens + done.usage.evaluatedTokens)
    expect(session.usage.generatedTokens).toBe(2)
  })

  test('an exhausted script is a failure, and nothing of it is in the session', async () => {
    const model = scriptedModel([])
    const session = await model.start(prefix)
    const before = session.contextTokens
    expect((await answer(session)).at(-1)).toMatchObject({ type: 'error', failure: { kind: 'bad-reply' } })
    expect(session.contextTokens).toBe(before)
  })

  test('a scripted failure ends the reply after what came before it', async () => {
    const model = scriptedModel([{ text: 'half', failure: { kind: 'engine-died', retryable: true } }, { text: 'ok' }])
    const session = await model.start(prefix)
    const events = await answer(session)
    expect(joined(events, 'text')).toBe('half')
    expect(events.at(-1)).toMatchObject({ type: 'error', failure: { kind: 'engine-died', retryable: true } })
    expect((await answer(session)).at(-1)).toMatchObject({ type: 'done', message: { text: 'ok' } })
    expect(model.requests[1]?.messages).toEqual(model.requests[0]?.messages)
  })

  test('an abort ends a waiting reply at once and keeps what was said', async () => {
    const model = scriptedModel([
      { delayMs: 60_000, text: 'late' },
      { text: 'a'.repeat(100), chunkMs: 60_000 },
    ])
    const session = await model.start(prefix)
    const began = Date.now()
    expect((await answer(session, { signal: AbortSignal.timeout(20) })).at(-1)).toMatchObject({ stop: 'aborted' })
    const events = await answer(session, { signal: AbortSignal.timeout(20) })
    expect(events.at(-1)).toMatchObject({ stop: 'aborted', message: { text: 'a'.repeat(24) } })
    expect(Date.now() - began).toBeLessThan(2_000)
  })

  test('a function answers from the messages; checkpoint, rewind and fork', async () => {
    const model = scriptedModel((messages) => ({ text: `${messages.length}` }))
    const session = await model.start(prefix)
    const checkpoint = await session.checkpoint()
    await session.append([user])
    expect((await answer(session)).at(-1)).toMatchObject({ message: { text: '2' } })
    const fork = await session.fork()
    await session.rewind(checkpoint)
    expect((await answer(session)).at(-1)).toMatchObject({ message: { text: '1' } })
    expect((await answer(fork)).at(-1)).toMatchObject({ message: { text: '3' } })
    expect(model.requests.map((request) => request.session)).toEqual([0, 0, 1])
  })

  test('a function that throws is a failure in the stream', async () => {
    const model = scriptedModel(() => {
      throw new Error('boom')
    })
    const events = await answer(await model.start(prefix))
    expect(events.at(-1)).toMatchObject({ type: 'error', failure: { kind: 'internal' } })
  })

  test('call ids go on after those of a restored conversation', async () => {
    const model = scriptedModel([{ calls: [{ name: 'read' }] }])
    const calls = [{ id: 'call_7', name: 'read', arguments: {} }]
    const old: Message = { role: 'assistant', reasoning: '', text: '', calls }
    const session = await model.start([{ name: 'conversation', messages: [system, user, old] }])
    expect((await answer(session)).at(-1)).toMatchObject({ message: { calls: [{ id: 'call_8' }] } })
  })
})

describe('a script file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cachalot-script-'))
  afterAll(() => rm(folder, { recursive: true }))

  test('loads as a list or as an object', async () => {
    const file = join(folder, 'a.json')
    await writeFile(file, '[{"text":"hi","calls":[{"name":"list","arguments":{"path":"."}}]}]')
    expect(await loadScript(file)).toEqual({
      replies: [{ text: 'hi', calls: [{ name: 'list', arguments: { path: '.' } }] }],
    })
    expect(parseScript('{"finishes":"edits","replies":[]}', 'x')).toEqual({ finishes: 'edits', replies: [] })
  })

  test('names what is wrong and where', async () => {
    await expect(loadScript(join(folder, 'none.json'))).rejects.toThrow(/none\.json/)
    expect(() => parseScript('{', 's.json')).toThrow(ScriptError)
    expect(() => parseScript('[{"txt":"hi"}]', 's.json')).toThrow(/s\.json[\s\S]*txt[\s\S]*replies\[0\]/)
  })
})
