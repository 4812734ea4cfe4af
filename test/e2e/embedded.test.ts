/** An embedded model through the engine host, end to end: a small model file whose reply is known in advance. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeModel } from '../models/index.ts'
import { eventsOf, processesWith, type Scratch, scratch } from './program.ts'

let place: Scratch
beforeEach(() => {
  place = scratch({ 'a.txt': 'one\n' })
})
afterEach(() => place.remove())

/** Processes that work for this test: its home is in their environment. */
const left = (): string[] => processesWith(`CACHALOT_HOME=${place.home}`)

test('a model file answers with a fence, and the file is written: exit 0, no process left', async () => {
  const { file } = makeModel('tiny-moe-copy', { reply: ['a.txt\n', '```\n', 'two\n', '```'] })
  const words = [
    'run',
    'Change one to two in a.txt',
    '--model',
    file,
    '--dialect',
    'fenced',
    '--json',
    '--context',
    '4096',
  ]
  const { stdout, exitCode } = await place.run(words)
  const events = eventsOf(stdout)
  expect(events.at(-1)).toMatchObject({
    type: 'result',
    exit: 'done',
    usage: { promptTokens: expect.any(Number), generatedTokens: expect.any(Number) },
  })
  expect(exitCode).toBe(0)
  expect(place.read('a.txt')).toBe('two\n')
  expect(events[0]).toMatchObject({ type: 'session', model: { place: 'embedded', dialect: 'fenced' } })
  expect(left()).toEqual([])
})

test.each([
  ['while it writes', /"text"/],
  ['while it reads or loads', /"session"/],
])('Ctrl-C %s: over within 300 ms, and the engine host is gone', async (_, sign) => {
  // Random words without an end.
  const { file } = makeModel('tiny-moe')
  const child = place.start([
    'run',
    'Say something',
    '--model',
    file,
    '--dialect',
    'qwen',
    '--json',
    '--context',
    '8192',
  ])
  let seen = ''
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk) => {
      seen += String(chunk)
      if (sign.test(seen)) resolve()
    })
    void child.then(() => reject(new Error(`ended before the sign: ${seen}`)))
  })
  expect(left().some((line) => line.includes('engine-host'))).toBe(true)
  const since = performance.now()
  child.kill('SIGINT')
  const { exitCode, stdout } = await child
  expect(performance.now() - since).toBeLessThan(500)
  expect(exitCode).toBe(130)
  expect(eventsOf(stdout).at(-1)).toMatchObject({ type: 'result', exit: 'interrupted' })
  await sleep(200)
  expect(left()).toEqual([])
})

test('a program that is killed leaves no engine host', async () => {
  const { file } = makeModel('tiny-moe')
  const child = place.start([
    'run',
    'Say something',
    '--model',
    file,
    '--dialect',
    'qwen',
    '--json',
    '--context',
    '8192',
  ])
  await new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()))
  child.kill('SIGKILL')
  await child
  await sleep(500)
  expect(left()).toEqual([])
})

test('a file that is no model: exit 3 with what it is', async () => {
  const notGguf = await place.run(['run', 'x', '--model', './a.txt'])
  expect(notGguf.stderr).toMatch(/a\.txt: not a GGUF file/)
  expect(notGguf.exitCode).toBe(3)
})
