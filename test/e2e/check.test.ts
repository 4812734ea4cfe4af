/** `--check` and `--tries` of the built program: the verdict is the check's, as we ran it. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { editCall } from './calls.ts'
import { eventsOf, type Scratch, scratch } from './program.ts'

let place: Scratch
beforeEach(() => {
  place = scratch({ 'a.txt': 'one\n' })
})
afterEach(() => place.remove())

const check = 'grep -q three a.txt || { echo three is missing; exit 1; }'
const first = { calls: [editCall('a.txt', 'one', 'two')] }
const words = { text: 'Done.' }

test('a check that fails is told to the model, and the run ends when it passes: exit 0', async () => {
  const model = place.script([first, words, { calls: [editCall('a.txt', 'two', 'three')] }, words])
  const { exitCode, stdout, stderr } = await place.run(['run', 'Count in a.txt', '--model', model, '--check', check])
  expect(exitCode).toBe(0)
  expect(stderr).toContain('three is missing')
  expect(stdout).toContain(`✓ check: ${check}`)
  expect(place.read('a.txt')).toBe('three\n')
})

test('a check that never passes: exit 1, and the result says so whatever the model says', async () => {
  const model = place.script([first, words, { text: 'All tests pass.' }])
  const flags = ['--check', check, '--tries', '2', '--json']
  const { exitCode, stdout } = await place.run(['run', 'Count in a.txt', '--model', model, ...flags])
  expect(exitCode).toBe(1)
  expect(eventsOf(stdout).at(-1)).toMatchObject({
    exit: 'not-done',
    checks: [{ name: 'check', passed: false, detail: expect.stringContaining('three is missing') }],
  })
})

test('a small model begins afresh after a failed check', async () => {
  const small = { finishes: 'edits', prompt: 'small' }
  const model = place.script([first, { calls: [editCall('a.txt', 'one', 'three')] }], small)
  const { exitCode } = await place.run(['run', 'Count in a.txt', '--model', model, '--check', check])
  expect(exitCode).toBe(0)
  expect(place.read('a.txt')).toBe('three\n')
})
