/** Reading ahead with a model that goes back to checkpoints only: V4's structure on the real engine. */
import { afterEach, expect, test } from 'vitest'
import { dialectByName, type Engine, type Message, type ModelSession, openEmbedded } from '../../../engine/index.ts'
import { makeModel } from '../../models/index.ts'
import { countingEngine } from '../counting.ts'
import { calm } from '../support.ts'

/** A loaded machine reads a thousand tokens of it in half a minute. */
const patient = { timeout: 120_000 }
const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }
const info = { name: 'tiny', finishes: 'words', prompt: 'full' } as const
const user = (text: string): Message => ({ role: 'user', text })
const long = Array.from({ length: 150 }, (_, at) => `Line ${at} of what was said before.`).join('\n')
const draft = Array.from({ length: 30 }, (_, at) => `Please look at part ${at}.`).join(' ')

let engine: Engine | undefined
afterEach(async () => {
  await engine?.close()
  engine = undefined
})

/** A conversation with something behind it, and the tokens that were evaluated since. */
async function open() {
  const { file } = makeModel('tiny-ds4-copy', { reply: ['Yes', '.'] })
  const counting = await countingEngine({ file, contextTokens: 8192, threads: 1, sequences: 3 })
  engine = counting.engine
  expect(engine.info.rewind).toBe('checkpoint')
  const model = openEmbedded({ engine, dialect: dialectByName('deepseek-v4'), info, sampling })
  const session = await model.start([{ name: 'system', messages: [{ role: 'system', text: 'You code.', tools: [] }] }])
  await session.append([user(long)])
  expect(await answer(session, 100)).toHaveLength(100)
  const start = counting.evaluated()
  expect(start).toBeGreaterThan(1000)
  return { session, counting, since: () => counting.evaluated() - start }
}

async function answer(session: ModelSession, maxTokens = 8): Promise<readonly number[]> {
  for await (const event of session.respond({ signal: calm, maxTokens }))
    if (event.type === 'done') return event.message.sampled ?? []
  throw new Error('no reply')
}

test('a draft that is sent as it was read, or goes on, is not read again', patient, async () => {
  const { session, since } = await open()
  const read = (await session.prefetch?.([user(draft)], { signal: calm })) ?? 0
  expect(read).toBeGreaterThan(200)
  expect(since()).toBe(read)
  await session.prefetch?.([user(`${draft} And this.`)], { signal: calm })
  await session.append([user(`${draft} And this.`)])
  await answer(session)
  // All of the draft once, what opens and closes, and the few tokens of the reply.
  expect(since()).toBeLessThan(read + 40)
})

test(
  'a draft that was a wrong guess costs what was read of it, and nothing of what stood before',
  patient,
  async () => {
    const { session, since } = await open()
    const read = (await session.prefetch?.([user(draft)], { signal: calm })) ?? 0
    await session.append([user('Something else.')])
    await answer(session)
    expect(since()).toBeLessThan(read + 60)
  },
)

test('a draft that is stopped in the middle leaves what stood before', patient, async () => {
  const { session, since, counting } = await open()
  for (let at = 0; at < 3; at += 1) {
    const stop = new AbortController()
    counting.onReading = () => setImmediate(() => stop.abort())
    await session.prefetch?.([user(`${at} ${draft}`)], { signal: stop.signal })
    expect(stop.signal.aborted).toBe(true)
  }
  const wasted = since()
  await session.append([user('Something else.')])
  await answer(session)
  expect(since() - wasted).toBeLessThan(60)
})

test('what was read of a draft is what would have been read of the message', patient, async () => {
  const { session } = await open()
  const fork = await session.fork()
  await session.prefetch?.([user(draft)], { signal: calm })
  await session.prefetch?.([user(`${draft} No, stop`)], { signal: calm })
  const replies = []
  for (const one of [session, fork]) {
    await one.append([user(`${draft} Or this?`)])
    replies.push(await answer(one))
  }
  expect(replies[0]).toEqual(replies[1])
})

test(
  'other segments in the place of all are read in a copy from the last checkpoint before the change on',
  patient,
  async () => {
    const { session, since } = await open()
    const system: Message = { role: 'system', text: 'You code.', tools: [] }
    const copy = await session.fork()
    await copy.replace([{ name: 'system', messages: [system, user(`${long.slice(0, -200)} changed`), user('And?')] }])
    const read = (await copy.prefetch?.([], { signal: calm })) ?? 0
    expect(read).toBe(since())
    // One interval of checkpoints at most, and never from the beginning.
    expect(read).toBeLessThan(1100)
    const before = since()
    await answer(copy)
    expect(since() - before).toBeLessThan(20)
    await session.append([user('Still there?')])
    await answer(session)
    expect(since() - before).toBeLessThan(60)
  },
)
