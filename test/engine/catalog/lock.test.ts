import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { takeLock } from '../../../engine/catalog/lock.ts'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cachalot-lock-'))
  path = join(folder, 'x.lock')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const take = (options: { signal?: AbortSignal; onWait?: () => void } = {}): ReturnType<typeof takeLock> =>
  takeLock(path, {
    signal: options.signal ?? new AbortController().signal,
    onWait: options.onWait ?? (() => undefined),
  })

test('many takers hold it one after another and leave nothing', async () => {
  let inside = 0
  let most = 0
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      const lock = await take()
      inside += 1
      most = Math.max(most, inside)
      await new Promise((resolve) => setTimeout(resolve, 5))
      expect(await lock.held()).toBe(true)
      inside -= 1
      await lock.release()
    }),
  )
  expect(most).toBe(1)
  expect(await readdir(folder)).toEqual([])
})

test('a holder that is dead, or whose pid is another process now, is passed at once', async () => {
  const mine = await take()
  const holder = JSON.parse(await readFile(path, 'utf8'))
  await mine.release()
  for (const dead of [
    { ...holder, token: 'other', pid: 2 ** 22 + 1 },
    { ...holder, token: 'other', started: '1' },
  ]) {
    await writeFile(path, JSON.stringify(dead))
    const lock = await take({ signal: AbortSignal.timeout(1_000) })
    await lock.release()
  }
})

test('a holder that was killed and not yet waited for is dead', async () => {
  const mine = await take()
  const holder = JSON.parse(await readFile(path, 'utf8'))
  await mine.release()
  // The shell becomes a program that never waits for its child.
  const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 20'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const pid = Number(String((await once(parent.stdout, 'data'))[0]))
  const started = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(' ')[21]
  await writeFile(path, JSON.stringify({ ...holder, token: 'other', pid, started }))
  await expect(take({ signal: AbortSignal.timeout(100) })).rejects.toThrow()
  const lock = await take({ signal: AbortSignal.timeout(2_000) })
  await lock.release()
  parent.kill('SIGKILL')
})

test('many takers that find a dead holder still hold it one after another', async () => {
  const mine = await take()
  const holder = JSON.parse(await readFile(path, 'utf8'))
  await mine.release()
  for (let round = 0; round < 4; round += 1) {
    await writeFile(path, JSON.stringify({ ...holder, token: `dead ${round}`, pid: 2 ** 22 + 1 }))
    let inside = 0
    let most = 0
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        const lock = await take()
        inside += 1
        most = Math.max(most, inside)
        await new Promise((resolve) => setTimeout(resolve, 1))
        inside -= 1
        await lock.release()
      }),
    )
    expect(most).toBe(1)
  }
  expect(await readdir(folder)).toEqual([])
})

test('a holder elsewhere counts as alive while it beats, and so does a file that is not ours', async () => {
  for (const text of [JSON.stringify({ token: 't', pid: 1, place: 'elsewhere', started: '1' }), 'not JSON']) {
    await writeFile(path, text)
    const fresh = take({ signal: AbortSignal.timeout(400) })
    await expect(fresh).rejects.toMatchObject({ name: 'AbortError' })
    expect(await readFile(path, 'utf8')).toBe(text)
    const long = new Date(Date.now() - 60_000)
    await utimes(path, long, long)
    const lock = await take({ signal: AbortSignal.timeout(1_000) })
    await lock.release()
  }
})

test('the holder shows that it lives', async () => {
  const lock = await take()
  const long = new Date(Date.now() - 60_000)
  await utimes(path, long, long)
  await expect.poll(async () => Date.now() - (await stat(path)).mtimeMs, { timeout: 5_000 }).toBeLessThan(3_000)
  await lock.release()
})
