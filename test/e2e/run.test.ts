/** One-shot runs of the built program with scripted replies, in a real git repository: effects and exit codes. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { editCall, readCall, shellCall } from './calls.ts'
import { environment, eventsOf, launcher, type Scratch, scratch } from './program.ts'

const files = {
  'src/page.ts': 'export const first = 0\nexport const size = 10\n',
  'src/dos.txt': 'one\r\ntwo\r\n',
  'notes.md': '# Notes\n\nNothing here.\n',
}
let place: Scratch
beforeEach(() => {
  place = scratch(files)
})
afterEach(() => place.remove())

const edit = editCall('src/page.ts', 'first = 0', 'first = 1')

test('an edit is applied and every other byte stays: exit 0', async () => {
  const before = place.snapshot()
  const model = place.script([{ text: 'I set it to 1.', calls: [edit] }, { text: 'Done: pages begin at 1.' }])
  const { exitCode, stdout, stderr } = await place.run(['run', 'Fix src/page.ts: pages begin at 1', '--model', model])
  expect(stderr).not.toContain('rror')
  expect(exitCode).toBe(0)
  before.set('src/page.ts', 'export const first = 1\nexport const size = 10\n')
  expect(place.snapshot()).toEqual(before)
  expect(stdout).toContain('-export const first = 0\n+export const first = 1\n')
  expect(stdout).toMatch(/✓ done · 1 file changed \+1 −1 · 2 steps/)
  expect(stdout).not.toContain('\x1b')
})

test('words where a change was asked for: exit 1', async () => {
  const model = place.script([{ text: 'I would change it.' }, { text: 'As I said.' }])
  const { exitCode, stdout } = await place.run(['run', 'Fix src/page.ts', '--model', model])
  expect(exitCode).toBe(1)
  expect(stdout).toContain('✗ not done · no file changed')
})

test.each([
  ['no task', ['run'], /no task given/],
  ['unknown command', ['rnu', 'x'], /unknown command "rnu"; did you mean "run"\?/],
  ['unknown flag', ['run', 'x', '--modle', 'y'], /unknown option '--modle'[\s\S]*--model/],
  ['bad value', ['run', 'x', '--max-steps', 'many'], /--max-steps: must be a number \(it is many\)/],
  ['no such folder', ['run', 'x', '--cwd', '/nowhere'], /\/nowhere is not a folder/],
  ['no terminal', [], /there is no terminal here/],
])('%s: exit 2', async (_, words, message) => {
  const { exitCode, stderr, stdout } = await place.run(words)
  expect(stderr).toMatch(message)
  expect(stdout).toBe('')
  expect(exitCode).toBe(2)
})

test('an unknown key of a config file is named with file, line and the nearest key: exit 2', async () => {
  const folder = join(place.home, 'own', 'config')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'config.toml'), '[limits]\n\nstep = 2\n')
  const { exitCode, stderr } = await place.run(['run', 'x'])
  expect(stderr).toContain(`${folder}/config.toml:3: unknown key "limits.step"; did you mean "limits.steps"?`)
  expect(exitCode).toBe(2)
})

test('what a repository may not set is ignored with a warning', async () => {
  mkdirSync(join(place.repo, '.cachalot'))
  writeFileSync(join(place.repo, '.cachalot', 'config.toml'), '[sandbox]\nmode = "full-access"\n')
  const { exitCode, stdout, stderr } = await place.run([
    'run',
    'Hello',
    '--model',
    place.script([{ text: 'Hi.' }]),
    '--json',
  ])
  expect(exitCode).toBe(0)
  expect(stderr).toBe('')
  expect(eventsOf(stdout)).toContainEqual(
    expect.objectContaining({
      type: 'notice',
      level: 'warning',
      text: expect.stringContaining('"sandbox.mode" is ignored'),
    }),
  )
})

test('a model that fails, a model file that is not there: exit 3 with what to do', async () => {
  const failing = place.script([{ failure: { kind: 'refused', message: 'The key was refused. Set another.' } }])
  const refused = await place.run(['run', 'Hello', '--model', failing])
  expect(refused.stderr).toContain('The key was refused. Set another.')
  expect(refused.exitCode).toBe(3)
  const missing = await place.run(['run', 'Hello', '--model', '/nowhere/model.gguf'])
  expect(missing.stderr).toContain('/nowhere/model.gguf')
  expect(missing.exitCode).toBe(3)
})

test('a command without a sandbox is not run, which is said at the start: exit 4', async () => {
  const model = place.script([{ calls: [shellCall('touch made')] }, { text: 'I could not.' }, { text: 'I could not.' }])
  // The machine without bubblewrap: this one with an empty file in its place.
  const bare = ['--dev-bind', '/', '/', '--ro-bind', '/dev/null', '/usr/bin/bwrap']
  const { exitCode, stderr } = await execa(
    'bwrap',
    [...bare, process.execPath, launcher, 'run', 'Run the tests', '--model', model],
    { cwd: place.repo, stdin: 'ignore', reject: false, env: environment(place.home), extendEnv: false },
  )
  expect(stderr).toMatch(/warning: .*bubblewrap|warning: .*bwrap/)
  expect(exitCode).toBe(4)
  expect([...place.snapshot().keys()]).not.toContain('made')
})

test('a limit that is reached: exit 5, and what was done stays', async () => {
  const model = place.script([{ calls: [edit] }, { calls: [readCall('notes.md')] }, { text: 'Done.' }])
  const { exitCode, stdout } = await place.run(['run', 'Fix src/page.ts', '--model', model, '--max-steps', '2'])
  expect(exitCode).toBe(5)
  expect(stdout).toContain('✗ limit reached · 1 file changed')
  expect(place.read('src/page.ts')).toContain('first = 1')
})

test('a command of the model runs in the sandbox and its output is shown', async () => {
  const model = place.script([
    { calls: [shellCall('echo from-inside; ls /root/.ssh; echo x > made')] },
    { text: 'Ran.' },
  ])
  const { exitCode, stdout } = await place.run(['run', 'Run it', '--model', model])
  expect(stdout).toContain('$ echo from-inside')
  expect(stdout).toContain('  │ from-inside')
  expect(place.read('made')).toBe('x\n')
  expect(exitCode).toBe(0)
})

test('the task from stdin, alone or beside words; -p is run', async () => {
  const reply = [{ text: 'Heard.' }]
  const alone = await place.run(['run', '--model', place.script(reply)], { stdin: 'pipe', input: 'Say something' })
  expect(alone.exitCode).toBe(0)
  const print = await place.run(['-p', 'Say something', '--model', place.script(reply), '--quiet'])
  expect(print.stdout).toBe('Heard.\n')
  const both = await place.run(['--model', place.script(reply), '--json', '-p', 'Explain'], {
    stdin: 'pipe',
    input: 'error: x',
  })
  expect(both.exitCode).toBe(0)
  expect(eventsOf(both.stdout).at(-1)).toMatchObject({ type: 'result', exit: 'done', text: 'Heard.' })
})

test('quiet: nothing but the result on stdout', async () => {
  const model = place.script([{ reasoning: 'Hm.', text: 'First.', calls: [edit] }, { text: 'It is 1 now.' }])
  const { stdout, stderr } = await place.run(['run', 'Fix src/page.ts', '--model', model, '--quiet'])
  expect(stdout).toBe('It is 1 now.\n')
  expect(stderr).toBe('')
})

test('escape sequences of a model never reach the output', async () => {
  const model = place.script([{ text: 'red \x1b[31mtext\x1b]52;c;aGk=\x07' }])
  const { stdout } = await place.run(['run', 'Hello', '--model', model])
  expect(stdout).toContain('red ␛[31mtext')
  expect(stdout).not.toContain('\x1b')
})

test('a reader that goes away ends the run quietly', async () => {
  const model = place.script([{ text: 'many words\n'.repeat(20_000), chunkMs: 0 }])
  const child = place.start(['run', 'Hello', '--model', model])
  child.stdout?.once('data', () => child.stdout?.destroy())
  const { stderr, durationMs } = await child
  expect(stderr).not.toMatch(/EPIPE|Error|at /)
  expect(durationMs).toBeLessThan(5000)
})
