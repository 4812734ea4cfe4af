import { execFile, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { makeModel } from '../models/index.ts'

const program = fileURLToPath(new URL('programs/hold-engine.ts', import.meta.url))

/** Waits until something is so. */
async function until(done: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 10_000
  while (!done()) {
    if (performance.now() > end) throw new Error(`still waiting for: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test.each(['idle', 'busy'])('kill -9 of the parent ends the host, too (%s)', async (how) => {
  const parent = spawn(process.execPath, [program, makeModel('tiny-moe-copy').file, how], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ready = await new Promise<string>((resolve) => parent.stdout.once('data', (line) => resolve(String(line))))
  expect(ready).toBe('ready\n')
  const [host] = readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8').trim().split(' ').map(Number)
  expect(existsSync(`/proc/${host}`)).toBe(true)
  parent.kill('SIGKILL')
  await until(() => !existsSync(`/proc/${host}`), 'the end of the host')
})

test('an engine that was not closed does not keep its program alive, nor writes to its terminal', async () => {
  const run = promisify(execFile)
  const { stdout, stderr } = await run(process.execPath, [program, makeModel('tiny-moe').file, 'leave'], {
    timeout: 20_000,
  })
  expect(stdout).toBe('ready\n')
  expect(stderr).toBe('')
})

test('a program that has nothing else to do is told when its host is killed in mid-reply', async () => {
  const { file } = makeModel('tiny-moe')
  const survive = fileURLToPath(new URL('programs/survive-host.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [survive, file], { timeout: 20_000 })
  expect(stdout).toMatch(/^failed: the engine host ended/)
})
