/** bin/cachalot.js under a Node that is too old: it finds the bundled Node, or says in one line what to do. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { environment, launcher, processesWith, scratch } from './program.ts'

/** A Node older than 22 on this machine; the tests that need one say so where there is none. */
const old = ['/usr/bin/node', '/usr/local/bin/node'].find((path) => {
  if (!existsSync(path)) return false
  return Number(/^v(\d+)/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' }))?.[1]) < 22
})

/** Plays an old Node without having one: the launcher asks `process.versions.node`. */
const pretend = [
  '--import',
  `data:text/javascript,${encodeURIComponent("Object.defineProperty(process.versions, 'node', { value: '18.20.4' })")}`,
]

let alone: string
beforeAll(() => {
  alone = mkdtempSync(join(tmpdir(), 'cachalot-launcher-'))
  mkdirSync(join(alone, 'bin'))
  cpSync(launcher, join(alone, 'bin', 'cachalot.js'))
  writeFileSync(join(alone, 'package.json'), '{"type":"module"}')
})
afterAll(() => rmSync(alone, { recursive: true, force: true }))

test('an old version goes over to the bundled Node', async () => {
  const { stdout, exitCode } = await execa(process.execPath, [...pretend, launcher, '--version'])
  expect(stdout).toMatch(/^\d+\.\d+\.\d+$/)
  expect(exitCode).toBe(0)
})

test('without one it says what to do in one line', async () => {
  const { stderr, exitCode } = await execa(process.execPath, [...pretend, join(alone, 'bin', 'cachalot.js')], {
    reject: false,
  })
  expect(stderr).toBe('cachalot needs Node 22 or newer; this is 18.20.4. Run: npm install -g node@24')
  expect(exitCode).toBe(2)
})

test.runIf(old !== undefined)('a really old Node runs a whole job and passes signals on', async () => {
  const place = scratch({ 'a.txt': 'one\n' })
  try {
    const model = place.script([{ text: 'Hello.' }])
    const run = await execa(old ?? '', [launcher, 'run', 'Hi', '--quiet', '--model', model], {
      cwd: place.repo,
      stdin: 'ignore',
    })
    expect(run.stdout).toBe('Hello.')
    const slow = place.script([{ delayMs: 20_000, text: 'late' }])
    const child = execa(old ?? '', [launcher, 'run', 'Hi', '--json', '--model', slow], {
      cwd: place.repo,
      stdin: 'ignore',
      reject: false,
    })
    await sleep(1000)
    child.kill('SIGINT')
    const { exitCode, stdout } = await child
    expect(exitCode).toBe(130)
    expect(stdout.trim().split('\n').at(-1)).toContain('"exit":"interrupted"')
  } finally {
    place.remove()
  }
})

test('a launcher that is killed with SIGKILL takes the program and its commands along', async () => {
  const place = scratch({ 'a.txt': 'one\n' })
  try {
    const mark = `sleep\0${96_000 + (process.pid % 1000)}`
    const command = mark.replace('\0', ' ')
    const model = place.script([
      { calls: [{ name: 'shell', arguments: { command, background: true } }] },
      { delayMs: 60_000, text: 'late' },
    ])
    const child = execa(process.execPath, [...pretend, launcher, 'run', 'Serve', '--json', '--model', model], {
      cwd: place.repo,
      stdin: 'ignore',
      reject: false,
      env: { CACHALOT_HOME: join(place.home, 'own') },
    })
    await new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk) => {
        if (String(chunk).includes('"tool-result"')) resolve()
      })
    })
    expect(processesWith(mark)).not.toEqual([])
    child.kill('SIGKILL')
    await child
    const left = (): string[] => [...processesWith(mark), ...processesWith(model)]
    for (let waited = 0; left().length > 0 && waited < 6000; waited += 50) await sleep(50)
    expect(left()).toEqual([])
  } finally {
    place.remove()
  }
})

test('a command whose reader has gone ends quietly', async () => {
  const place = scratch({ 'script.json': '[]', 'a.txt': 'x\n' })
  const line = '(sleep 0.2; "$0" "$1" warm --json --model scripted:script.json; echo "code $?" >&2) | true'
  const options = { reject: false, cwd: place.repo, env: environment(place.home), extendEnv: false } as const
  const { stderr } = await execa('bash', ['-c', line, process.execPath, launcher], options)
  place.remove()
  expect(stderr).toBe('code 141')
})
