/** `--json`: every line an event, the last one always the result. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { editCall } from './calls.ts'
import { eventsOf, type Scratch, scratch } from './program.ts'

let place: Scratch
beforeEach(() => {
  place = scratch({ 'a.txt': 'one\n' })
})
afterEach(() => place.remove())

test('a run from session to result, with usage and changes', async () => {
  const model = place.script([
    { reasoning: 'Think.', text: 'Now.', calls: [editCall('a.txt', 'one', 'two')] },
    { text: 'Changed.' },
  ])
  const { stdout, stderr, exitCode } = await place.run(['run', 'Change a.txt', '--model', model, '--json'])
  const events = eventsOf(stdout)
  expect(stderr).toBe('')
  expect(events[0]).toMatchObject({ type: 'session', cwd: place.repo, model: { place: 'scripted' } })
  const types = events.map((event) => event.type)
  for (const type of ['step', 'reasoning', 'text', 'call', 'tool-result', 'usage']) expect(types).toContain(type)
  expect(types.filter((type) => type === 'result')).toHaveLength(1)
  expect(events.at(-1)).toMatchObject({
    type: 'result',
    exit: 'done',
    exitCode: 0,
    steps: 2,
    changes: [{ path: 'a.txt', kind: 'changed' }],
    usage: {
      promptTokens: expect.any(Number),
      cachedTokens: expect.any(Number),
      evaluatedTokens: expect.any(Number),
      generatedTokens: expect.any(Number),
      prefillSeconds: expect.any(Number),
      decodeSeconds: expect.any(Number),
    },
  })
  expect(exitCode).toBe(0)
})

test('also before there is a session: a model that is missing', async () => {
  const { stdout, exitCode } = await place.run(['run', 'x', '--model', '/nowhere.gguf', '--json'])
  expect(eventsOf(stdout).at(-1)).toMatchObject({ type: 'result', exit: 'model', exitCode: 3 })
  expect(exitCode).toBe(3)
})

test('also for a usage error', async () => {
  const { stdout, stderr, exitCode } = await place.run(['run', 'x', '--max-steps', '0', '--json'])
  expect(JSON.parse(String(stdout))).toMatchObject({ type: 'result', exit: 'usage', exitCode: 2 })
  expect(stderr).toContain('--max-steps')
  expect(exitCode).toBe(2)
})

test('no character in it is obeyed by a terminal, and none is lost', async () => {
  const text = 'a\x1b[2J\x9b31m\u202eb'
  const { stdout } = await place.run(['run', 'x', '--model', place.script([{ text }]), '--json'])
  expect(String(stdout)).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/)
  expect(eventsOf(stdout).at(-1)).toMatchObject({ text })
})
