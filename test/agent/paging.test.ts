/** Long sessions: what is big and old leaves the context and can be recalled; a summary only when nothing else is left. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pageOut } from '../../agent/context/paging.ts'
import type { Message } from '../../engine/index.ts'
import { collect, put, scratch, stage } from './support.ts'

const lines = (word: string, count: number): string => `${word} of a long result\n`.repeat(count)
const has = (messages: readonly Message[], word: string): boolean => JSON.stringify(messages).includes(word)

test('a long session goes on: old results are paged out, recalled by their id, and survive a restart', async () => {
  const root = scratch({ 'AGENTS.md': 'Always be brief.\n' })
  for (let n = 0; n < 12; n++) put(root, { [`file${n}.txt`]: lines(`word${n}`, 150) })
  const read = (n: number) => ({ calls: [{ name: 'read', arguments: { path: `file${n}.txt` } }] })
  const replies = Array.from({ length: 12 }, (_, n) => read(n))
  const at = await stage([...replies, { calls: [{ name: 'recall', arguments: { id: 'p1' } }] }, { text: 'Done.' }], {
    root,
    info: { contextTokens: 10_000 },
  })
  const events = await collect(at.session.send('Read them all, please'))
  expect(events.at(-1)).toMatchObject({ type: 'result', exit: 'done' })
  const notices = events.flatMap((event) => (event.type === 'notice' ? [event.text] : []))
  expect(notices.some((text) => text.includes('paged out'))).toBe(true)
  const late = at.model.requests.at(-2)!.messages
  expect(has(late, 'recall p1 brings it back')).toBe(true)
  expect(has(late, 'word0 of a long result\\nword0 of a long')).toBe(false)
  // Neither the user's words nor the instructions are lost, and what is being worked on stays.
  expect(has(late, 'Read them all, please')).toBe(true)
  expect(has(late, 'Always be brief.')).toBe(true)
  expect(has(late, '150\\tword11 of a long result')).toBe(true)
  expect(has(at.model.requests.at(-1)!.messages, '150\\tword0 of a long result')).toBe(true)

  const after = at.session.info.logFile
  await at.session.close()
  const again = await stage([{ calls: [{ name: 'recall', arguments: { id: 'p2' } }] }, { text: 'Bye.' }], {
    root,
    resume: after,
    info: { contextTokens: 40_000 },
  })
  await collect(again.session.send('And file 1?'))
  expect(has(again.model.requests[0]!.messages, 'recall p1 brings it back')).toBe(true)
  expect(has(again.model.requests[1]!.messages, '150\\tword1 of a long result')).toBe(true)
})

test('between two turns the results of the last one are paged out before anything is summarised', async () => {
  const root = scratch({ 'a.txt': lines('first', 240), 'b.txt': lines('second', 240) })
  const read = (path: string) => ({ calls: [{ name: 'read', arguments: { path } }] })
  const at = await stage([read('a.txt'), { text: 'One.' }, read('b.txt'), { text: 'Two.' }, { text: 'Three.' }], {
    ...{ root, info: { contextTokens: 5000 } },
  })
  await collect(at.session.send('Read a'))
  await collect(at.session.send('Read b'))
  const events = await collect(at.session.send('What now?'))
  expect(events.at(-1)).toMatchObject({ type: 'result', exit: 'done', text: 'Three.' })
  expect(at.model.requests.some(({ messages }) => has(messages, 'Summarise what was done'))).toBe(false)
  expect(has(at.model.requests.at(-1)!.messages, 'recall p1 brings it back')).toBe(true)
})

test('the last resort is a summary that the user sees, with the words of the user in it', async () => {
  // Not the same word again and again: a reply that goes in circles is cut.
  const talk = Array.from({ length: 700 }, (_, n) => `x${n}`)
    .join(' ')
    .slice(0, 3000)
  const at = await stage(
    (messages) =>
      has(messages.slice(-1), 'Summarise what was done') ? { text: 'We talked about x.' } : { text: talk },
    { info: { contextTokens: 6000 } },
  )
  const notices: string[] = []
  for (let n = 0; n < 9; n++)
    for (const event of await collect(at.session.send(`Question number ${n}`)))
      if (event.type === 'notice') notices.push(event.text)
  expect(notices.join('\n')).toContain('The summary:\nWe talked about x.')
  const last = at.model.requests.at(-1)!.messages
  expect(has(last, '- Question number 0')).toBe(true)
  expect(has(last, 'We talked about x.')).toBe(true)
  expect(readFileSync(at.session.info.logFile, 'utf8')).toContain('"why":"summarised"')
  // What was dropped is named, and is not lost.
  expect(notices[0]).toMatch(/- the model: x0 x1 .{53}… \(3000 characters\)/)
  expect(notices[0]).toContain('kept as p1, which the model can recall')
  const logged = readFileSync(at.session.info.logFile, 'utf8').split('\n')
  const page = logged.find((record) => record.includes('"why":"summarised"')) ?? ''
  expect(JSON.parse(page).pages).toEqual([{ id: 'p1', text: expect.stringContaining('Question number 0') }])
  const again = await stage([{ calls: [{ name: 'recall', arguments: { id: 'p1' } }] }, { text: 'Bye.' }], {
    ...{ root: at.root, resume: at.session.info.logFile, info: { contextTokens: 40_000 } },
  })
  await collect(again.session.send('What was it?'))
  expect(has(again.model.requests[1]!.messages.slice(-1), talk)).toBe(true)
})

test('a model without recall is not told of it', async () => {
  const root = scratch({ 'a.txt': lines('first', 240) })
  const at = await stage(
    (messages) =>
      has(messages.slice(-1), 'Read a')
        ? { calls: [{ name: 'read', arguments: { path: 'a.txt' } }] }
        : { text: 'Well.' },
    { root, info: { contextTokens: 3000, prompt: 'small' } },
  )
  await collect(at.session.send('Read a'))
  const events = await collect(at.session.send('What now?'))
  expect(JSON.stringify(events)).toContain('paged out')
  expect(has(at.model.requests.at(-1)!.messages, 'is paged out')).toBe(true)
  expect(has(at.model.requests.at(-1)!.messages, 'recall')).toBe(false)
})

test('only what is big, old and of the conversation is paged out', () => {
  const big = lines('big', 100)
  const fenced = `src/a.ts\n\`\`\`typescript\n${big}\`\`\`\n\nMend it, please.`
  const tool = (id: string): Message => ({ role: 'tool', callId: id, name: 'shell', text: big, ok: true })
  const talk = (message: Message) => ({ segment: 'conversation' as const, message })
  const placed = [
    { segment: 'repository' as const, message: { role: 'user' as const, text: fenced } },
    talk({ role: 'user', text: fenced }),
    talk(tool('1')),
    ...Array.from({ length: 6 }, (_, n) => talk(tool(`recent${n}`))),
  ]
  let id = 0
  const out = pageOut(placed, 1_000_000, () => `p${++id}`)
  expect(out?.messages[0]).toBe(placed[0])
  expect(JSON.stringify(out?.messages[1])).toContain('Mend it, please.')
  expect(JSON.stringify(out?.messages[1])).not.toContain('big of')
  expect(out?.files).toEqual(['src/a.ts'])
  expect(out?.messages.slice(3)).toEqual(placed.slice(3))
  expect(out?.pages.map(({ text }) => text.length)).toEqual([expect.any(Number), big.length])
  expect(pageOut(placed.slice(0, 1), 1000, () => 'p1')).toBeUndefined()
})
