/** What was read for one request is not read again for the next: by counting what the engine evaluates. */
import { afterEach, expect, test } from 'vitest'
import { encode } from '../../engine/fake-engine.ts'
import { type Served, served } from './served.ts'

let server: Served
afterEach(() => server.close())

const long = 'All work and no play makes a dull boy. '.repeat(110)
const ask = async (messages: { role: 'system' | 'user' | 'assistant'; content: string }[]) => {
  const before = server.engine.evaluated()
  const reply = await server.openai.chat.completions.create({ model: 'default', messages, max_tokens: 100 })
  const cached = reply.usage?.prompt_tokens_details?.cached_tokens ?? 0
  const text = reply.choices[0]?.message.content ?? ''
  return { text, cached, prompt: reply.usage?.prompt_tokens ?? 0, evaluated: server.engine.evaluated() - before }
}

test('a second request with the same 4k tokens evaluates only what is new', async () => {
  server = await served({ reply: () => 'Yes.<|im_end|>' })
  const system = { role: 'system' as const, content: long }
  const first = await ask([system, { role: 'user', content: 'One?' }])
  expect(first).toMatchObject({ cached: 0, evaluated: first.prompt })
  expect(first.prompt).toBeGreaterThan(4096)
  const second = await ask([system, { role: 'user', content: 'Two?' }])
  expect(second.prompt - second.cached).toBeLessThan(60)
  expect(second.evaluated).toBe(second.prompt - second.cached)
  expect(await server.metric('evaluated_tokens_total')).toBe(first.evaluated + second.evaluated)
})

test('a conversation goes on with the very tokens that were sampled', async () => {
  // The reply holds reasoning that the client does not send back.
  server = await served({ reply: () => '<think>\nLet me see.\n</think>\n\nYes.<|im_end|>' })
  const messages = [
    { role: 'system' as const, content: long },
    { role: 'user' as const, content: 'One?' },
  ]
  const first = await ask(messages)
  const second = await ask([...messages, { role: 'assistant', content: first.text }, { role: 'user', content: 'Two?' }])
  const [before, after] = server.engine.prompts
  const sampled = encode('<think>\nLet me see.\n</think>\n\nYes.<|im_end|>')
  expect(after?.slice(0, (before?.length ?? 0) + sampled.length)).toEqual([...(before ?? []), ...sampled])
  // All but what the new message adds: the last sampled token was never evaluated.
  expect(second.evaluated).toBeLessThan(60)
})

test('conversations in turn keep what they have; the longest unused goes when there is no room', async () => {
  server = await served({ reply: () => 'Yes.<|im_end|>', contextTokens: 20_000 })
  const talk = (name: string) => [
    { role: 'system' as const, content: `${name}: ${long}` },
    { role: 'user' as const, content: 'Go' },
  ]
  for (const name of ['a', 'b', 'c']) expect((await ask(talk(name))).cached).toBeLessThan(60)
  for (const name of ['a', 'b', 'c']) expect((await ask(talk(name))).evaluated).toBeLessThan(60)
  await ask(talk('d'))
  await ask(talk('e'))
  expect((await ask(talk('a'))).cached).toBeLessThan(60)
  expect((await ask(talk('e'))).evaluated).toBeLessThan(60)
})
