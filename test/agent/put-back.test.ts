/** What an attempt may not change is put back before it is judged: the attempt has failed where nothing else is left of it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { collect, type Result, type Stage, stage, text } from './support.ts'

vi.setConfig({ testTimeout: 60_000 })
const small = { finishes: 'edits', prompt: 'small' } as const
const wanted = 'one\n'
const files = { 'code.txt': 'two\n', 'wanted.txt': wanted }
const check = 'cmp code.txt wanted.txt'
const told = 'wanted.txt was put back. Change code.txt instead.'
const writes = (path: string, content: string) => ({ name: 'write', arguments: { path, content } })
const cheat = writes('wanted.txt', 'two\n')
const mend = writes('code.txt', 'one\n')

async function perform(at: Stage): Promise<Result> {
  const putBack = async (): Promise<string | undefined> => {
    if (text(at.root, 'wanted.txt') === wanted) return undefined
    writeFileSync(join(at.root, 'wanted.txt'), wanted)
    return told
  }
  const last = (await collect(at.session.send('Fix code.txt', { check, putBack }))).at(-1)
  if (last?.type !== 'result') throw new Error(`the last event is ${last?.type}`)
  return last
}

test('a small model hears why its attempt failed, and the next begins without it', async () => {
  const at = await stage([{ calls: [cheat] }, { calls: [mend] }], { files, info: small })
  const result = await perform(at)
  expect(result).toMatchObject({ exit: 'done', steps: 2, changes: [{ path: 'code.txt' }] })
  expect(result.checks).toContainEqual(expect.objectContaining({ name: 'check', passed: true }))
  expect(text(at.root, 'wanted.txt')).toBe(wanted)
  const second = JSON.stringify(at.model.requests[1]?.messages)
  expect(second).toContain(`An earlier answer to this was wrong: allowed: ${told}`)
  expect(second).not.toContain('"content":"two')
})

test('what else an attempt did is judged by itself: right, it stays', async () => {
  const at = await stage([{ calls: [cheat, mend] }], { files, info: small })
  expect(await perform(at)).toMatchObject({ exit: 'done', steps: 1, changes: [{ path: 'code.txt' }] })
  expect(text(at.root, 'wanted.txt')).toBe(wanted)
})

test('wrong, the next attempt hears of both', async () => {
  const wrong = writes('code.txt', 'three\n')
  const at = await stage([{ calls: [cheat, wrong] }, { calls: [mend] }], { files, info: small })
  expect(await perform(at)).toMatchObject({ exit: 'done', steps: 2 })
  const second = JSON.stringify(at.model.requests[1]?.messages.at(-1))
  expect(second).toContain('code.txt wanted.txt differ')
  expect(second).toContain(told)
})

test('nothing but that, however often: not done, and nothing is changed', async () => {
  const at = await stage([{ calls: [cheat] }, { calls: [cheat] }], { files, info: small, tries: 2 })
  const result = await perform(at)
  expect(result).toMatchObject({ exit: 'not-done', changes: [], checks: [{ name: 'allowed', passed: false }] })
  expect(result.text).toContain(told)
})

test('a model that goes on from what it did is told, too', async () => {
  const replies = [{ calls: [cheat] }, { text: 'Done.' }, { calls: [mend] }, { text: 'Done.' }]
  const at = await stage(replies, { files })
  expect(await perform(at)).toMatchObject({ exit: 'done', changes: [{ path: 'code.txt' }] })
  expect(JSON.stringify(at.model.requests[2]?.messages.at(-1))).toContain(told)
})

test('of a long output of the check the next attempt hears what failed, with paths as it knows them', async () => {
  const noise = 'seq 1 400 | sed "s/^/passed /"'
  const loud = `${check} > /dev/null || { echo "Error: $PWD/code.txt differs"; ${noise}; false; }`
  const at = await stage([{ calls: [writes('code.txt', 'three\n')] }, { calls: [mend] }], { files, info: small })
  await collect(at.session.send('Fix code.txt', { check: loud }))
  const second = JSON.stringify(at.model.requests[1]?.messages.at(-1))
  expect(second).toContain('Error: code.txt differs')
  expect(second).not.toContain('passed 400')
})
