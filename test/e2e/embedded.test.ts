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

/** A run of a model that says random words without an end. */
const endless = () =>
  place.start([
    ...['run', 'Say something', '--json', '--context', '8192'],
    ...['--model', makeModel('tiny-moe').file, '--dialect', 'qwen'],
  ])

test.each([
  ['while it writes', /"text"/],
  ['while it reads or loads', /"session"/],
])('Ctrl-C %s: over at once, and the engine host is gone', async (_, sign) => {
  const child = endless()
  let seen = ''
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk) => {
      seen += String(chunk)
      if (sign.test(seen)) resolve()
    })
    void child.then(() => reject(new Error(`ended before the sign: ${seen}`)))
  })
  expect(left().some((line) => line.includes('engine-host'))).toBe(true)
  child.kill('SIGINT')
  const { exitCode, stdout } = await child
  expect(exitCode).toBe(130)
  expect(eventsOf(stdout).at(-1)).toMatchObject({ type: 'result', exit: 'interrupted' })
  await sleep(200)
  expect(left()).toEqual([])
})

test('a program that is killed leaves no engine host', async () => {
  const child = endless()
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
