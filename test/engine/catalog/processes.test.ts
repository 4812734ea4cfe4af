/** Downloads in real processes of their own: killed in the middle, and two at once. */
import { type ChildProcess, spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Hub, modelBytes, sha256, startHub } from './support/hub.ts'

const body = modelBytes(4_000_000)

interface Told {
  readonly type: string
  readonly bytes?: number
  readonly pid?: number
  readonly source?: string
}

interface Pull {
  readonly process: ChildProcess
  readonly events: Told[]
  readonly ended: Promise<void>
}

let folder: string
let hub: Hub
let pulls: Pull[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cachalot-processes-'))
  pulls = []
})
afterEach(async () => {
  for (const pull of pulls) pull.process.kill('SIGKILL')
  await Promise.all(pulls.map((pull) => pull.ended))
  await hub.close()
  await rm(folder, { recursive: true, force: true })
})

function pull(): Pull {
  const request = {
    target: join(folder, 'model.gguf'),
    bytes: body.length,
    sha256: sha256(body),
    sources: [{ kind: 'huggingface', repo: 'some/repo', file: 'model.gguf' }],
  }
  const endpoints = { huggingface: hub.url, modelscope: hub.url, npm: hub.url }
  const program = fileURLToPath(new URL('support/pull-child.ts', import.meta.url))
  const child = spawn(process.execPath, [program, JSON.stringify({ request, endpoints })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const events: Told[] = []
  createInterface({ input: child.stdout }).on('line', (line) => events.push(JSON.parse(line)))
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  const started = { process: child, events, ended }
  pulls.push(started)
  return started
}

/** A process takes its time to start on a busy machine. */
const patience = { timeout: 20_000 }

const has = (from: Pull, type: string): boolean => from.events.some((event) => event.type === type)

test('after kill -9 in the middle the next process goes on at once from what is there', async () => {
  hub = await startHub({ body, hold: new Promise(() => undefined) })
  const first = pull()
  const part = join(folder, 'model.gguf.part')
  const partBytes = (): number => statSync(part, { throwIfNoEntry: false })?.size ?? 0
  await expect.poll(partBytes, patience).toBeGreaterThan(5e5)
  first.process.kill('SIGKILL')
  await first.ended
  const kept = partBytes()
  expect(kept).toBeGreaterThan(5e5)
  expect(await readdir(folder)).toContain('model.gguf.lock')

  const second = pull()
  await second.ended
  expect(second.events[0]).toEqual({ type: 'resumed', bytes: kept })
  expect(has(second, 'waiting')).toBe(false)
  expect(hub.requests[1]?.range).toBe(`bytes=${kept}-`)
  expect((await readFile(join(folder, 'model.gguf'))).equals(body)).toBe(true)
  expect(await readdir(folder)).toEqual(['model.gguf'])
})

test('two processes at once: the second says whom it waits for, and the file comes once', async () => {
  const gate = Promise.withResolvers<void>()
  hub = await startHub({ body, hold: gate.promise })
  const first = pull()
  await expect.poll(() => has(first, 'progress'), patience).toBe(true)
  const second = pull()
  await expect.poll(() => has(second, 'waiting'), patience).toBe(true)
  gate.resolve()
  await Promise.all([first.ended, second.ended])
  expect(second.events[0]).toEqual({ type: 'waiting', pid: first.process.pid })
  expect(has(first, 'done') && has(second, 'done')).toBe(true)
  expect(hub.requests).toHaveLength(1)
  expect((await readFile(join(folder, 'model.gguf'))).equals(body)).toBe(true)
  expect(await readdir(folder)).toEqual(['model.gguf'])
})

test('when the one that is waited for is killed, the other goes on', async () => {
  hub = await startHub({ body, hold: new Promise(() => undefined) })
  const first = pull()
  await expect.poll(() => has(first, 'progress'), patience).toBe(true)
  const second = pull()
  await expect.poll(() => has(second, 'waiting'), patience).toBe(true)
  first.process.kill('SIGKILL')
  await second.ended
  expect(has(second, 'resumed') && has(second, 'done')).toBe(true)
  expect((await readFile(join(folder, 'model.gguf'))).equals(body)).toBe(true)
})
