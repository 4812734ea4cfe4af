/** What a run leaves besides changed files: a patch, a commit, one JSON object; and what it begins with: files, a session. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { editCall, shellCall } from './calls.ts'
import { eventsOf, type Scratch, scratch } from './program.ts'

let place: Scratch
beforeEach(() => {
  place = scratch({ 'a.txt': 'one\n', 'b.txt': 'two\n' })
})
afterEach(() => place.remove())

const git = (...words: string[]): string => execFileSync('git', words, { cwd: place.repo, encoding: 'utf8' })
const edit = editCall('a.txt', 'one', 'ONE')
const replies = [{ calls: [edit, shellCall('echo made > made.txt')] }, { text: 'Done.' }]

test('--patch holds what calls and commands changed, and nothing that was changed before', async () => {
  writeFileSync(join(place.repo, 'b.txt'), 'mine\n')
  const patch = join(place.home, 'run.patch')
  const { exitCode } = await place.run(['run', 'Change a.txt', '--patch', patch, '--model', place.script(replies)])
  expect(exitCode).toBe(0)
  expect(readFileSync(patch, 'utf8').match(/^\+\+\+ .*$/gm)).toEqual(['+++ b/a.txt', '+++ b/made.txt'])
  git('apply', '-R', patch)
  expect(place.read('a.txt')).toBe('one\n')
  expect(place.read('b.txt')).toBe('mine\n')
  expect(existsSync(join(place.repo, 'made.txt'))).toBe(false)
})

test("--commit commits the run's files alone; hooks do not run; what the user staged stays staged", async () => {
  writeFileSync(join(place.repo, 'b.txt'), 'mine\n')
  git('add', 'b.txt')
  const hook = join(place.repo, '.git', 'hooks', 'reference-transaction')
  writeFileSync(hook, `#!/bin/sh\ntouch ${place.home}/hooked\n`, { mode: 0o755 })
  const words = ['run', 'Change a.txt\nplease', '--commit', '--model', place.script(replies)]
  const { exitCode, stderr } = await place.run(words)
  expect(exitCode).toBe(0)
  expect(stderr).toMatch(/committed [0-9a-f]{12}/)
  expect(git('log', '-1', '--format=%B')).toContain('Change a.txt\n\nAssisted-by: Cachalot (')
  expect(git('show', '--name-only', '--format=', 'HEAD').split('\n').filter(Boolean)).toEqual(['a.txt', 'made.txt'])
  expect(git('status', '--porcelain')).toBe('M  b.txt\n')
  expect(existsSync(join(place.home, 'hooked'))).toBe(false)
})

test('--commit takes no changes of the user along: exit 1, everything stays', async () => {
  writeFileSync(join(place.repo, 'a.txt'), 'one\nmine\n')
  const head = git('rev-parse', 'HEAD')
  const { exitCode, stdout } = await place.run(
    ['run', 'Change a.txt', '--commit', '--json', '--model', place.script(replies)],
    { cwd: place.repo },
  )
  expect(exitCode).toBe(1)
  expect(eventsOf(stdout).at(-1)).toMatchObject({
    exit: 'not-done',
    text: expect.stringContaining('a.txt had uncommitted'),
  })
  expect(git('rev-parse', 'HEAD')).toBe(head)
  expect(place.read('a.txt')).toBe('ONE\nmine\n')
})

test('--output-format json is one object, stream-json is --json, another word is refused', async () => {
  const one = await place.run(['run', 'Hello', '--output-format', 'json', '--model', place.script([{ text: 'Hi.' }])])
  expect(JSON.parse(String(one.stdout))).toMatchObject({ type: 'result', exit: 'done', text: 'Hi.' })
  const model = place.script([{ text: 'Hi.' }])
  const stream = await place.run(['run', 'Hello', '--output-format', 'stream-json', '--model', model])
  expect(eventsOf(stream.stdout).map(({ type }) => type)).toContain('session')
  expect(eventsOf(stream.stdout).at(-1)).toMatchObject({ type: 'result' })
  const wrong = await place.run(['run', 'Hello', '--output-format', 'xml', '--model', model])
  expect(wrong.exitCode).toBe(2)
  expect(wrong.stderr).toContain('--output-format: must be one of text, json, stream-json')
})

test('--resume goes on with an earlier session', async () => {
  const script = (text: string): string => place.script([{ text }])
  const first = await place.run(['run', 'Remember 7', '--json', '--model', script('I do.')])
  const session = eventsOf(first.stdout).find((event) => event.type === 'session')
  const id = session?.type === 'session' ? session.id : ''
  const words = ['run', 'Which number?', '--resume', id, '--json', '--model', script('7.')]
  const second = await place.run(words)
  expect(eventsOf(second.stdout).find((event) => event.type === 'session')).toMatchObject({ id })
  expect(second.exitCode).toBe(0)
  const missing = await place.run(['run', 'x', '--resume', 'nothing', '--model', script('7.')])
  expect(missing.exitCode).toBe(2)
  expect(missing.stderr).toContain('--resume: there is no session nothing of')
})

test('@file: one that is not there is named', async () => {
  const { exitCode, stderr } = await place.run([
    'run',
    'Explain',
    '@nowhere.txt',
    '--model',
    place.script([{ text: 'x' }]),
  ])
  expect(exitCode).toBe(2)
  expect(stderr).toContain('@nowhere.txt: there is no file')
})
