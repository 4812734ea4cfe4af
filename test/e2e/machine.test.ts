/** `cachalot doctor` and `cachalot sandbox`: the built program, on the real sandbox of this machine. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { environment, eventsOf, launcher, type Scratch, scratch } from './program.ts'

let place: Scratch
beforeEach(() => {
  place = scratch({ 'a.txt': 'a\n' })
})
afterEach(() => place.remove())

/** This machine without bubblewrap: an empty file in its place. */
const hidden = ['--dev-bind', '/', '/', '--ro-bind', '/dev/null', '/usr/bin/bwrap']
const hiddenRun = (words: readonly string[]) =>
  execa('bwrap', [...hidden, process.execPath, launcher, ...words], {
    cwd: place.repo,
    stdin: 'ignore',
    reject: false,
    env: environment(place.home),
    extendEnv: false,
  })

test('doctor tells what works, with what was seen', async () => {
  const { exitCode, stdout } = await place.run(['doctor'])
  expect(stdout).toMatch(/^cachalot \d+\.\d+\.\d+, Node v\d+/)
  expect(stdout).toContain('Sandbox: bwrap, works')
  expect(stdout).toMatch(/^ {2}ok {4}/m)
  expect(stdout).toMatch(/^ {2}\+ write-outside: writes only to the work tree/m)
  expect(stdout).toMatch(/^Engine: \/.*llama/m)
  expect(stdout).toMatch(/^ {2}memory: .* free of .*; read at .*\/s$/m)
  expect(stdout).toMatch(/^ {2}cpu: /m)
  expect(stdout).toContain('none; the first run fetches one')
  expect(stdout).toContain(join(place.home, 'own', 'data'))
  expect(exitCode).toBe(0)
})

test('doctor --json is one object', async () => {
  const { exitCode, stdout } = await place.run(['doctor', '--json', '--quick'])
  expect(JSON.parse(String(stdout))).toMatchObject({
    ok: true,
    sandbox: { backend: 'bwrap', problem: null },
    engine: { problem: null },
    models: [],
    machine: { bandwidth: null, devices: [{ kind: 'cpu' }] },
  })
  expect(exitCode).toBe(0)
})

test('doctor without a sandbox names the fix: exit 1', async () => {
  const { exitCode, stdout } = await hiddenRun(['doctor', '--quick'])
  expect(stdout).toContain('Sandbox: commands cannot run here')
  expect(stdout).toMatch(/apt|bubblewrap/)
  expect(exitCode).toBe(1)
})

test('doctor --apparmor prints the profile alone', async () => {
  const { stdout } = await place.run(['doctor', '--apparmor'])
  expect(stdout).toMatch(/^# Install: cachalot doctor --apparmor/)
  expect(stdout).toContain('userns,')
})

test("sandbox: the command's output as it is, its exit code, and no write outside", async () => {
  const { exitCode, stdout } = await place.run([
    'sandbox',
    '--',
    `printf '\\033[31mred\\n'; echo x > made; echo y > ${place.home}/escaped; exit 7`,
  ])
  expect(stdout).toContain('\x1b[31mred\n')
  expect(exitCode).toBe(7)
  expect(existsSync(join(place.repo, 'made'))).toBe(true)
  expect(existsSync(join(place.home, 'escaped'))).toBe(false)
})

test('sandbox: several words are a program and its arguments; stdin reaches it', async () => {
  const words = await place.run(['sandbox', '--', 'printf', '%s|', "it's", 'a  b', '$HOME', '--help'])
  expect(words.stdout).toBe("it's|a  b|$HOME|--help|")
  const piped = await place.run(['sandbox', '--', 'wc', '-c'], { input: 'four', stdin: 'pipe' })
  expect(String(piped.stdout).trim()).toBe('4')
})

test('sandbox --write opens one more folder, --explain says what holds', async () => {
  const other = join(place.home, 'other')
  mkdirSync(other)
  const { exitCode } = await place.run(['sandbox', '--write', other, '--', `echo x > ${other}/made`])
  expect(exitCode).toBe(0)
  expect(existsSync(join(other, 'made'))).toBe(true)
  const explained = await place.run(['sandbox', '--explain'])
  expect(explained.stdout).toContain('+ net-off: reaches no network')
  expect(explained.stdout).toContain(`writable: ${place.repo}`)
  const net = await place.run(['sandbox', '--net', '--explain'])
  expect(net.stdout).toContain('- net-off')
  expect((await place.run(['sandbox', '--write', '/nowhere/x', '--', 'true'])).exitCode).toBe(2)
  expect((await place.run(['sandbox'])).stderr).toContain('no command given')
})

test('sandbox: without one the command does not run: exit 4', async () => {
  const { exitCode, stderr } = await hiddenRun(['sandbox', '--', 'touch made'])
  expect(exitCode).toBe(4)
  expect(stderr).toMatch(/bubblewrap|bwrap/)
  expect(existsSync(join(place.repo, 'made'))).toBe(false)
})

test('a session does not claim a sandbox that is not there', async () => {
  const model = place.script([{ text: 'Hello.' }])
  const { stdout } = await hiddenRun(['run', 'Hello', '--json', '--model', model])
  expect(eventsOf(stdout).find((event) => event.type === 'session')).toMatchObject({ sandbox: 'none' })
})
