/**
 * Ctrl-C and SIGTERM: over at once, exit code 130, a result, and no process left. How fast in milliseconds, the bench
 * measures (`interrupt`).
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { shellCall } from './calls.ts'
import { eventsOf, processesWith, type Scratch, scratch } from './program.ts'

/** Milliseconds: far less than what is interrupted would take, on a busy machine too. */
const soon = 3000

let place: Scratch
beforeEach(() => {
  place = scratch({ 'a.txt': 'one\n' })
})
afterEach(() => place.remove())

/** Starts a run, waits for a sign in its output, signals it, and gives its end. */
async function interruptAt(
  sign: RegExp,
  signals: readonly NodeJS.Signals[],
  words: readonly string[],
  before: () => void = () => undefined,
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | undefined; ms: number; stdout: string }> {
  const child = place.start([...words, '--json'], { env })
  let stdout = ''
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk) => {
      stdout += String(chunk)
      if (sign.test(stdout)) resolve()
    })
    void child.then(() => reject(new Error(`ended before the sign: ${stdout}`)))
  })
  await sleep(100)
  before()
  const since = performance.now()
  for (const signal of signals) {
    child.kill(signal)
    await sleep(60)
  }
  const { exitCode } = await child
  return { code: exitCode, ms: performance.now() - since, stdout }
}

test.each([['SIGINT'], ['SIGTERM']] as const)('%s while the model is silent', async (signal) => {
  const model = place.script([{ delayMs: 30_000, text: 'late' }])
  const { code, ms, stdout } = await interruptAt(/"prefill"/, [signal], ['run', 'x', '--model', model])
  expect(code).toBe(130)
  expect(ms).toBeLessThan(soon)
  expect(eventsOf(stdout).at(-1)).toMatchObject({ type: 'result', exit: 'interrupted', exitCode: 130 })
})

test('an attempt of --best-of, ended at once: neither its worktree nor what was recorded is left', async () => {
  const model = place.script([{ calls: [shellCall('sleep 60')] }])
  // Not within the home folder, which is itself in /tmp here: the sandbox's own test would take the one for the other.
  const temporary = mkdtempSync(join(tmpdir(), 'cachalot-temporary-'))
  onTestFinished(() => rmSync(temporary, { recursive: true, force: true }))
  const words = ['run', 'x', '--model', model, '--best-of', '2', '--check', 'true']
  // The second one ends it before anything was put away.
  const { code } = await interruptAt(/"sleep 60"/, ['SIGINT', 'SIGINT'], words, undefined, { TMPDIR: temporary })
  expect(code).toBe(130)
  const worktrees = join(place.home, 'own', 'state', 'worktrees')
  expect(existsSync(worktrees)).toBe(true)
  const left = (): string[] => [
    ...readdirSync(worktrees),
    ...readdirSync(temporary).filter((name) => name.includes('shadow')),
  ]
  await expect.poll(left, { timeout: 50_000 }).toEqual([])
  const listed = execFileSync('git', ['worktree', 'list', '--porcelain'], { cwd: place.repo, encoding: 'utf8' })
  expect(listed.match(/^worktree /gm)).toHaveLength(1)
  expect(place.read('a.txt')).toBe('one\n')
})

test('while text streams', async () => {
  const model = place.script([{ text: 'word '.repeat(5000), chunkMs: 5 }])
  const { code, stdout } = await interruptAt(/"text"/, ['SIGINT'], ['run', 'x', '--model', model])
  expect(code).toBe(130)
  expect(eventsOf(stdout).filter((event) => event.type === 'result')).toHaveLength(1)
})

test('while a command runs: the command is gone too', async () => {
  const mark = `sleep 98${process.pid % 1000}.5`
  const model = place.script([{ calls: [shellCall(`(${mark} &) ; echo started; ${mark}`)] }, { text: 'x' }])
  const left = (): string[] => processesWith(mark.replace(' ', '\0'))
  let running = 0
  const { code, ms, stdout } = await interruptAt(
    /"output".*started/,
    ['SIGINT'],
    ['run', 'x', '--model', model],
    () => {
      running = left().length
    },
  )
  expect(running).toBeGreaterThanOrEqual(2)
  expect(code).toBe(130)
  expect(ms).toBeLessThan(soon)
  expect(eventsOf(stdout).at(-1)).toMatchObject({ type: 'result', exit: 'interrupted' })
  await sleep(100)
  expect(left()).toEqual([])
})

test('a second Ctrl-C ends it at once', async () => {
  const model = place.script([{ delayMs: 30_000, text: 'late' }])
  const { code, stdout } = await interruptAt(/"prefill"/, ['SIGINT', 'SIGINT'], ['run', 'x', '--model', model])
  expect(code).toBe(130)
  expect(eventsOf(stdout).at(-1)).toMatchObject({ type: 'result', exit: 'interrupted' })
})

test('while stdin is awaited', async () => {
  const child = place.start(['run', '-', '--json'], { stdin: 'pipe' })
  await sleep(500)
  child.kill('SIGINT')
  const { exitCode, stdout } = await child
  expect(exitCode).toBe(130)
  expect(eventsOf(stdout).at(-1)).toMatchObject({ type: 'result', exit: 'interrupted' })
})
