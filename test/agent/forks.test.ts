/** Copies of a conversation, and going back in it: nothing that was read is read again. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { forkSession, listTurns, openSession } from '../../agent/index.ts'
import { dialectByName, type Message, openEmbedded } from '../../engine/index.ts'
import { fakeEngine } from '../engine/fake-engine.ts'
import { collect, missingSandbox, perform, policyFor, put, scratch, stage, text } from './support.ts'

const stay = '// a line that stays\n'.repeat(200)
const repository = () => ({ when: 'always', startupSeconds: 20, folder: scratch() }) as const
const spent = (events: Awaited<ReturnType<typeof collect>>) =>
  events.flatMap((event) => (event.type === 'usage' ? [event.usage] : []))
const words = (messages: readonly Message[]) => JSON.stringify(messages)

test('a question aside: answered from the same context, and nowhere to be found after it', async () => {
  const root = scratch({ 'a.ts': `export const a = 1\n${stay}` })
  const at = await stage([{ text: 'Hello.' }, { text: 'It is one.' }, { text: 'Bye.' }], {
    root,
    repository: repository(),
  })
  await perform(at, 'Say hello')
  const events = await collect(at.session.aside('What is a?'))
  expect(events.flatMap((event) => (event.type === 'text' ? [event.text] : [])).join('')).toBe('It is one.')
  const [usage] = spent(events)
  expect(usage?.evaluatedTokens).toBeLessThan(80)
  expect(usage?.cachedTokens).toBeGreaterThan(1000)
  const after = await collect(at.session.send('Say bye'))
  expect(words(at.model.requests[2]!.messages)).not.toContain('What is a?')
  expect(spent(after)[0]?.evaluatedTokens).toBeLessThan(80)
  expect(readFileSync(at.session.info.logFile, 'utf8')).not.toContain('What is a?')
})

test('a question aside while a turn goes on: answered beside it, from what is there; the turn never hears of it', async () => {
  const begun = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const answered = Promise.withResolvers<void>()
  const at = await stage(
    async (messages, index) => {
      if (words(messages).includes('What is a?')) return { text: 'It is one.' }
      if (index === 0) begun.resolve()
      await (index === 0 ? asked : answered).promise
      return index === 0 ? { calls: [{ name: 'list', arguments: {} }] } : { text: 'Done.' }
    },
    { root: scratch({ 'a.ts': `export const a = 1\n${stay}` }), repository: repository() },
  )
  const turn = collect(at.session.send('Look around'))
  // Its reply is being made: there is nothing yet that could be copied.
  await begun.promise
  const aside = collect(at.session.aside('What is a?'))
  asked.resolve()
  const events = await aside
  answered.resolve()
  expect(events.flatMap((event) => (event.type === 'text' ? [event.text] : [])).join('')).toBe('It is one.')
  expect(spent(events)[0]?.evaluatedTokens).toBeLessThan(200)
  expect((await turn).at(-1)).toMatchObject({ type: 'result', exit: 'done' })
  expect(words(at.model.requests.at(-1)!.messages)).not.toContain('What is a?')
  expect(readFileSync(at.session.info.logFile, 'utf8')).not.toContain('What is a?')
})

test('a turn is taken back: the model has not heard of it, and hears again what it then was told', async () => {
  const root = scratch({ 'a.ts': `export const a = 1\n${stay}` })
  const at = await stage([{ text: 'Hello.' }, { text: 'Two.' }, { text: 'Three.' }], { root, repository: repository() })
  await perform(at, 'Say hello')
  put(root, { 'a.ts': `export const a = 2\n${stay}` })
  await collect(at.session.send('What is it now?'))
  expect(words(at.model.requests[1]!.messages)).toContain('+export const a = 2')
  expect(await at.session.takeBack(3)).toBe(false)
  expect(await at.session.takeBack(1)).toBe(true)
  const events = await collect(at.session.send('Once more'))
  const request = words(at.model.requests[2]!.messages)
  expect(request).not.toContain('What is it now?')
  expect(request).toContain('+export const a = 2')
  expect(spent(events)[0]?.evaluatedTokens).toBeLessThan(150)
  // The log, read back, is what the model saw.
  await at.session.close()
  const again = await stage([{ text: 'Resumed.' }], { root, resume: at.session.info.logFile })
  await collect(again.session.send('Go on'))
  expect(words(again.model.requests[0]!.messages)).not.toContain('What is it now?')
})

test('a turn that changed a file tells the record of it, one of words none; both can be taken back', async () => {
  const root = scratch({ 'a.txt': 'one\n' })
  const edit = { name: 'edit', arguments: { path: 'a.txt', old: 'one', new: 'two' } }
  const stateFolder = scratch()
  const at = await stage([{ calls: [edit] }, { text: 'Done.' }, { text: 'Words.' }, { text: 'Again.' }], {
    ...{ root, stateFolder },
  })
  await perform(at, 'Change it')
  await collect(at.session.send('Why?'))
  const [record] = await listTurns({ root, stateFolder })
  expect(record?.paths).toEqual(['a.txt'])
  expect(at.session.turns).toEqual([undefined, record?.id])
  expect(await at.session.takeBack(1)).toBe(true)
  expect(at.session.turns).toEqual([record?.id])
  await collect(at.session.send('What now?'))
  expect(words(at.model.requests.at(-1)!.messages)).not.toContain('Why?')
  expect(words(at.model.requests.at(-1)!.messages)).toContain('Change it')
})

test('of turns with the same words as many are taken back as were asked for', async () => {
  const at = await stage(() => ({ text: 'Yes.' }))
  for (const task of ['First', 'Go on', 'Go on', 'Go on']) await collect(at.session.send(task))
  expect(await at.session.takeBack(5)).toBe(false)
  expect(await at.session.takeBack(0)).toBe(false)
  expect(await at.session.takeBack(2)).toBe(true)
  await collect(at.session.send('Last'))
  const asked = at.model.requests.at(-1)!.messages.flatMap((one) => (one.role === 'user' ? [one.text] : []))
  expect(asked).toEqual(['First', 'Go on', 'Last'])
})

test('explore: looks around in a copy that cannot write; only the answer comes back, without reading again', async () => {
  const root = scratch({ 'a.ts': `export const a = 1\n${stay}`, 'b.ts': 'export const b = 2\n' })
  const call = (name: string, args: Record<string, unknown>) => ({ calls: [{ name, arguments: args }] })
  const at = await stage(
    [
      call('explore', { question: 'Where is b?' }),
      call('search', { pattern: 'const b' }),
      call('write', { path: 'c.ts', content: 'x' }),
      { text: 'b is in b.ts:1.' },
      { text: 'Found it.' },
    ],
    { root, repository: repository() },
  )
  const events = await collect(at.session.send('Find b'))
  const result = events.find((event) => event.type === 'tool-result')
  expect(result?.result).toMatchObject({ ok: true, content: 'b is in b.ts:1.' })
  expect(events.at(-1)).toMatchObject({ type: 'result', exit: 'done' })
  const inside = words(at.model.requests[3]!.messages)
  expect(inside).toContain('Where is b?')
  expect(inside).toContain('There is no tool')
  expect(() => text(root, 'c.ts')).toThrow()
  const outside = words(at.model.requests[4]!.messages)
  expect(outside).toContain('b is in b.ts:1.')
  expect(outside.includes('in a copy of this conversation')).toBe(false)
  // The last request read only the answer.
  expect(spent(events).at(-1)?.evaluatedTokens).toBeLessThan(120)
  // The account has the three replies within it, too, and says which part they are.
  const account = events.at(-1)
  if (account?.type !== 'result') throw new Error('no result')
  const own = spent(events).reduce((sum, { generatedTokens }) => sum + generatedTokens, 0)
  expect(account.explored?.generatedTokens).toBeGreaterThan(0)
  expect(account.usage.generatedTokens).toBe(own + (account.explored?.generatedTokens ?? 0))
  expect(account.explored?.evaluatedTokens).toBeLessThan(400)
})

test('a session that is forked, or begun anew, reads nothing again', async () => {
  const root = scratch({ 'a.ts': `export const a = 1\n${stay}` })
  const engine = fakeEngine({ contextTokens: 60_000, reply: () => 'Yes.<|im_end|>' })
  const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }
  const info = { name: 'fake', finishes: 'words', prompt: 'full' } as const
  const model = openEmbedded({ engine, dialect: dialectByName('qwen'), info, sampling, keepSequences: 1 })
  const options = {
    model,
    root,
    sandbox: missingSandbox,
    policy: policyFor(root),
    limits: { steps: 5, tokens: 1000, seconds: 20 },
    stateFolder: scratch(),
    repository: repository(),
  }
  const first = await openSession(options)
  await collect(first.send('Say yes'))
  const { file } = await forkSession(first.info.logFile)
  const whole = engine.evaluated()
  expect(whole).toBeGreaterThan(4000)
  await first.close()
  const fork = await openSession({ ...options, resume: file })
  await collect(fork.send('And again'))
  expect(engine.evaluated() - whole).toBeLessThan(150)
  await fork.close()
  const fresh = await openSession(options)
  await collect(fresh.send('Something else'))
  expect(engine.evaluated() - whole).toBeLessThan(400)
  await fresh.close()
})
