/** Reading ahead, and other segments in the place of all: what is the same is never evaluated again. */
import { expect, test } from 'vitest'
import { dialectByName, type Message, type ModelSession, openEmbedded } from '../../../engine/index.ts'
import { fakeEngine } from '../fake-engine.ts'

const calm = new AbortController().signal
const user = (text: string): Message => ({ role: 'user', text })
const system: Message = { role: 'system', text: 'You code.', tools: [] }

async function open(contextTokens = 5000) {
  const engine = fakeEngine({ reply: () => 'Yes.<|im_end|>', contextTokens })
  const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }
  const info = { name: 'm', finishes: 'words', prompt: 'full' } as const
  const model = openEmbedded({ engine, dialect: dialectByName('qwen'), info, sampling })
  return { engine, session: await model.start([{ name: 'system', messages: [system] }]) }
}

async function evaluatedBy(session: ModelSession): Promise<number> {
  for await (const event of session.respond({ signal: calm, maxTokens: 20 }))
    if (event.type === 'done') return event.usage.evaluatedTokens
  throw new Error('no reply')
}

test('a draft that is sent as it was read costs one token; one that was changed costs what changed', async () => {
  const { session, engine } = await open()
  const draft = 'Please look at this. '.repeat(20)
  expect(await session.prefetch?.([user(draft)], { signal: calm })).toBeGreaterThan(400)
  expect(session.contextTokens).toBeLessThan(100)
  await session.append([user(draft)])
  expect(await evaluatedBy(session)).toBe(1)

  await session.prefetch?.([user(`${draft}first`)], { signal: calm })
  await session.append([user(`${draft}other`)])
  expect(await evaluatedBy(session)).toBeLessThan(60)
  // What was read for nothing is all that it cost.
  expect(engine.evaluated()).toBeLessThan(session.contextTokens + 60)
})

test('a draft that is stopped keeps what was read of it, and one too long for the context is left', async () => {
  const { session } = await open()
  const stop = new AbortController()
  const reading = session.prefetch?.([user('word '.repeat(200))], { signal: stop.signal })
  setImmediate(() => stop.abort())
  expect(await reading).toBeLessThan(1000)
  expect(await session.prefetch?.([user('x'.repeat(6000))], { signal: calm })).toBe(0)
  await session.append([user('word '.repeat(200))])
  expect(await evaluatedBy(session)).toBeGreaterThan(0)
})

test('other segments in the place of all: from the first difference on', async () => {
  const { session } = await open()
  const long = user('a'.repeat(1000))
  await session.append([long, user('b'.repeat(1000))])
  await evaluatedBy(session)
  await session.replace([{ name: 'system', messages: [system, long, user('short')] }])
  expect(await evaluatedBy(session)).toBeLessThan(60)
})

test('an output that grows is tokenised once, not again from its beginning at each step', async () => {
  const { session, engine } = await open(60_000)
  let characters = 0
  const { tokenize } = engine
  engine.tokenize = (text, options) => {
    characters += text.length
    return tokenize(text, options)
  }
  const output = Array.from({ length: 1000 }, (_, n) => `line ${n} of it\n`).join('')
  for (let end = 1000; end < output.length; end += 500)
    await session.prefetch?.([user(output.slice(0, end))], { signal: calm, open: true })
  // Each of the 30 steps takes what is new, and five times the last line with what stands around it.
  expect(characters).toBeLessThan(2 * output.length)
})
