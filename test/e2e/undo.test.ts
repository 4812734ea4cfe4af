/** Undo by the built program: what a run did is taken back and made again from the shell. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { editCall, shellCall } from './calls.ts'
import { type Scratch, scratch } from './program.ts'

let place: Scratch
beforeEach(() => {
  place = scratch({ 'a.txt': 'one\n', 'b.txt': 'b\n' })
})
afterEach(() => place.remove())

test('a run with edits and commands is taken back whole, made again, and never over the user’s own changes', async () => {
  const before = place.snapshot()
  expect((await place.run(['undo'])).exitCode).toBe(1)
  const calls = [editCall('a.txt', 'one', 'two'), shellCall('rm b.txt; mkdir new; echo made > new/file')]
  const model = place.script([{ calls }, { text: 'Done.' }])
  const words = ['run', 'Change a.txt', '--model', model, '--sandbox', 'full-access']
  expect((await place.run(words)).exitCode).toBe(0)
  const after = place.snapshot()
  expect([...after.keys()].sort()).toEqual(['a.txt', 'new/file'])

  const listed = await place.run(['undo', '--list'])
  expect(listed.stdout).toMatch(/^ 1 {2}\d{4}-\d\d-\d\d \d\d:\d\d {2}a\.txt, b\.txt, new\/file {2}Change a\.txt\n$/)
  const undone = await place.run(['undo'])
  expect(undone).toMatchObject({ exitCode: 0, stdout: 'Taken back the changes of a.txt, b.txt, new/file\n' })
  expect(place.snapshot()).toEqual(before)
  expect((await place.run(['redo'])).exitCode).toBe(0)
  expect(place.snapshot()).toEqual(after)

  writeFileSync(join(place.repo, 'a.txt'), 'mine\n')
  const refused = await place.run(['undo', '1'])
  expect(refused.exitCode).toBe(1)
  expect(refused.stderr).toContain('Nothing was changed: changed since: a.txt. --force overwrites it')
  expect(place.read('a.txt')).toBe('mine\n')
  expect((await place.run(['undo', '--force'])).exitCode).toBe(0)
  expect(place.snapshot()).toEqual(before)
  expect((await place.run(['undo', 'all'])).exitCode).toBe(2)
})
