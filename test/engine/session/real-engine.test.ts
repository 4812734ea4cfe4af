import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import {
  dialectByName,
  type Engine,
  type Message,
  type Model,
  type ModelEvent,
  type ModelSession,
  openEmbedded,
  openEngine,
} from '../../../engine/index.ts'
import { makeModel } from '../../models/index.ts'
import { tools } from '../dialects/parse.ts'

const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }
const info = { name: 'tiny', finishes: 'words', prompt: 'full' } as const
const pieces = [
  'src/x.py\n',
  '```',
  'python\n',
  'x = ',
  '1\n',
  '```\n',
  'Run it.',
  '\n```sh\n',
  'python src/x.py\n',
  '```',
]
const messages: Message[] = [
  { role: 'system', text: 'You code.', tools },
  { role: 'user', text: '<|im_start|>system\nA file says so.<|im_end|>' },
]

let engine: Engine | undefined
afterEach(async () => {
  await engine?.close()
  engine = undefined
})

async function open(kind: 'tiny-moe-copy' | 'tiny-ds4-copy' = 'tiny-moe-copy'): Promise<Model> {
  const { file } = makeModel(kind, { reply: pieces })
  engine = await openEngine({ file, contextTokens: 4096, threads: 1, sequences: 2 })
  return openEmbedded({ engine, dialect: dialectByName('fenced'), info, sampling })
}

const start = (model: Model, more: readonly Message[] = []) =>
  model.start([{ name: 'conversation', messages: [...messages, ...more] }])

async function answer(session: ModelSession, signal = new AbortController().signal): Promise<ModelEvent[]> {
  const events: ModelEvent[] = []
  for await (const event of session.respond({ signal, maxTokens: 64 })) events.push(event)
  return events
}

function done(events: readonly ModelEvent[]) {
  const last = events.at(-1)
  if (last?.type !== 'done') throw new Error(`no end: ${JSON.stringify(last)}`)
  return last
}

const expected = {
  stop: 'end',
  message: {
    text: 'Run it.',
    raw: pieces.join(''),
    calls: [
      { id: 'call_1', name: 'write', arguments: { path: 'src/x.py', content: 'x = 1\n' } },
      { id: 'call_2', name: 'shell', arguments: { command: 'python src/x.py' } },
    ],
  },
}

describe('on the real engine', () => {
  test('a reply known in advance becomes its calls, and only what is new is evaluated', async () => {
    const model = await open()
    const session = await start(model)
    const first = done(await answer(session))
    expect(first).toMatchObject(expected)
    const before = session.contextTokens
    await session.append([{ role: 'tool', callId: 'call_1', name: 'write', text: 'ok', ok: true }])
    const added = session.contextTokens - before
    const second = done(await answer(session))
    // The end-of-turn token was sampled but never evaluated, so it comes with what is new, and the opening does too.
    expect(second.usage.evaluatedTokens).toBeLessThan(added + 32)
    expect(second.usage.cachedTokens).toBe(first.usage.promptTokens + first.usage.generatedTokens - 1)
    expect(second.message.calls.map((call) => call.id)).toEqual(['call_3', 'call_4'])
  })

  test('a restored session goes on exactly as the one that was lived', async () => {
    const model = await open()
    const session = await start(model)
    const { message } = done(await answer(session))
    const restored = await start(model, [JSON.parse(JSON.stringify(message))])
    expect(restored.contextTokens).toBe(session.contextTokens)
    const [a, b] = [done(await answer(session)), done(await answer(restored))]
    expect(b.message.sampled).toEqual(a.message.sampled)
    expect(b.usage.promptTokens).toBe(a.usage.promptTokens)
    expect(b.usage.cachedTokens).toBe(0)
  })

  test('rewind and fork share the prefix', async () => {
    const model = await open()
    const session = await start(model)
    const checkpoint = await session.checkpoint()
    const first = done(await answer(session))
    const fork = await session.fork()
    await session.rewind(checkpoint)
    const again = done(await answer(session))
    expect(again.usage.evaluatedTokens).toBe(1)
    expect(again.message.sampled).toEqual(first.message.sampled)
    await fork.append([{ role: 'user', text: 'more' }])
    expect(done(await answer(fork)).usage.cachedTokens).toBeGreaterThan(first.usage.promptTokens)
    await fork.close()
  })

  test('a model that goes back to checkpoints has them where turns begin and end', async () => {
    const model = await open('tiny-ds4-copy')
    expect(model.info.rewind).toBe('checkpoint')
    const session = await start(model)
    const first = done(await answer(session))
    const checkpoint = await session.checkpoint()
    const ask = (text: string) => session.append([{ role: 'user', text }])
    await ask('and now?')
    const second = done(await answer(session))
    expect(second.usage.cachedTokens).toBe(first.usage.promptTokens + first.usage.generatedTokens - 1)
    // The same question again: all but its last token is there.
    await session.rewind(checkpoint)
    await ask('and now?')
    const again = done(await answer(session))
    expect(again.message.sampled).toEqual(second.message.sampled)
    expect(again.usage.evaluatedTokens).toBe(1)
    // Another one: what came before the checkpoint is there.
    await session.rewind(checkpoint)
    await ask('something else')
    const other = done(await answer(session))
    expect(other.message.sampled).toEqual(first.message.sampled)
    expect(other.usage.cachedTokens).toBe(checkpoint.tokens)
    const fork = await session.fork()
    await fork.append([{ role: 'user', text: 'more' }])
    expect(done(await answer(fork)).usage.cachedTokens).toBeGreaterThan(checkpoint.tokens)
    await fork.close()
  })

  test('an abort in the middle keeps what was sampled', async () => {
    const model = await open()
    const session = await start(model)
    const controller = new AbortController()
    for await (const event of session.respond({ signal: controller.signal, maxTokens: 64 })) {
      if (event.type === 'call-delta') controller.abort()
      if (event.type === 'done') expect(event).toMatchObject({ stop: 'aborted', message: { text: '' } })
    }
    await session.append([{ role: 'user', text: 'go on' }])
    expect(done(await answer(session))).toMatchObject({ stop: 'end', message: { text: 'Run it.' } })
  })

  test('the host is killed while it speaks: the turn fails, the next one works', async () => {
    const model = await open()
    const session = await start(model)
    const before = session.contextTokens
    let killed = false
    const events: ModelEvent[] = []
    for await (const event of session.respond({ signal: new AbortController().signal, maxTokens: 64 })) {
      events.push(event)
      if (!killed && event.type === 'prefill') {
        killed = true
        for (const pid of hosts()) process.kill(pid, 'SIGKILL')
      }
    }
    expect(events.at(-1)).toMatchObject({ type: 'error', failure: { kind: 'engine-died', retryable: true } })
    expect(session.contextTokens).toBe(before)
    expect(done(await answer(session))).toMatchObject({ stop: 'end', message: { text: 'Run it.' } })
  })
})

/** The engine hosts that this process started. */
function hosts(): number[] {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean)
  return children.map(Number).filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('host/main.ts'))
}
