/** The store on real files: the longest beginning is found, the longest unused goes, several processes get along. */
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { collect, listEntries } from '../../../engine/kv/entries.ts'
import { writeState } from '../../../engine/kv/envelope.ts'
import { listStore, openKvStore } from '../../../engine/kv/store.ts'

let folder: string
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'cachalot-store-')), 'kv')
})
afterEach(() => rmSync(join(folder, '..'), { recursive: true }))

const text = (length: number, seed = 0) => Array.from({ length }, (_, i) => ((i * 31) % 997) + seed)
const saving =
  (tokens: readonly number[], bytes = 1000) =>
  async (file: string) => {
    await writeState(file, { key: 'm', tokens: Int32Array.from(tokens), parts: [Buffer.alloc(bytes)] })
  }
const open = (maxBytes = 1e9) => openKvStore({ folder, maxBytes }).forModel('m', 'model m')

test('the longest beginning that is shorter than the text is found, and only that of the same model', async () => {
  const entries = open()
  const whole = text(1000)
  for (const length of [100, 400, 700, 1000]) {
    const part = whole.slice(0, length)
    expect(await entries.keep(part, saving(part))).toBe(true)
  }
  const other = [...text(300), ...text(300, 5)]
  await entries.keep(other, saving(other))
  expect((await entries.find(whole)).map(({ tokens }) => tokens)).toEqual([700, 400, 100])
  expect((await entries.find([...whole, 1])).map(({ tokens }) => tokens)).toEqual([1000, 700, 400, 100])
  expect((await entries.find([...whole.slice(0, 500), 5, 6])).map(({ tokens }) => tokens)).toEqual([400, 100])
  expect(await entries.find(text(50))).toEqual([])
  expect(await openKvStore({ folder, maxBytes: 1e9 }).forModel('n', 'n').find(whole)).toEqual([])
  expect((await listStore(folder)).map(({ model }) => model)).toEqual(Array(5).fill('model m'))
})

test('what is there is not saved again', async () => {
  const entries = open()
  const tokens = text(300)
  expect(await entries.keep(tokens, saving(tokens))).toBe(true)
  expect(
    await entries.keep(tokens, async () => {
      throw new Error('saved twice')
    }),
  ).toBe(false)
})

test('the longest unused go when it gets too much, pinned ones stay; one larger than all is not kept', async () => {
  const entries = open(100_000)
  const texts = [1, 2, 3].map((seed) => text(300, seed))
  for (const [at, tokens] of texts.entries()) {
    await entries.keep(tokens, saving(tokens, 20_000))
    const [found] = await entries.find([...tokens, 1])
    utimesSync(found!.file, at + 1, at + 1)
    if (at === 0) writeFileSync(`${found!.file}.pin`, '')
  }
  await entries.used((await entries.find([...texts[1]!, 1]))[0]!)
  const fresh = text(300, 9)
  await entries.keep(fresh, saving(fresh, 20_000))
  // The first is pinned, the second was used just now.
  expect(await Promise.all(texts.map(async (one) => (await entries.find([...one, 1])).length))).toEqual([1, 1, 0])
  expect(await entries.find([...fresh, 1])).toHaveLength(1)
  const huge = text(400, 10)
  expect(await entries.keep(huge, saving(huge, 200_000))).toBe(false)
  expect(await entries.find([...huge, 1])).toEqual([])
  expect(await listEntries(folder)).toHaveLength(3)
})

test('what a dead process left half written goes, what a living one writes stays', async () => {
  const entries = open()
  const tokens = text(300)
  await entries.keep(tokens, saving(tokens))
  const [model = ''] = readdirSync(folder)
  const left = join(folder, model, '12-00.kv.4194304.tmp')
  const alive = join(folder, model, `12-00.kv.${process.pid}.tmp`)
  for (const file of [left, alive]) {
    writeFileSync(file, 'half')
    utimesSync(file, Date.now() / 1000 - 600, Date.now() / 1000 - 600)
  }
  await collect(folder, 1e9)
  expect(existsSync(left)).toBe(false)
  expect(existsSync(alive)).toBe(true)
  expect(await listEntries(folder)).toHaveLength(1)
})

test('several at once: the same and different texts, while one collects', async () => {
  const stores = [1, 2, 3, 4].map(() => open(200_000))
  await Promise.all(
    stores.flatMap((entries) =>
      Array.from({ length: 10 }, async (_, seed) => {
        const tokens = text(300, seed)
        await entries.keep(tokens, saving(tokens, 20_000))
        await entries.find([...tokens, 1])
      }),
    ),
  )
  const left = await listEntries(folder)
  expect(left.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(200_000)
  expect(left.length).toBeGreaterThan(5)
})

test('a speed is remembered, small changes of it are not written', async () => {
  const entries = open()
  expect(await entries.note()).toBeUndefined()
  await entries.noteSpeed(100)
  await entries.noteSpeed(105)
  expect(await entries.note()).toEqual({ name: 'model m', tokensPerSecond: 100 })
  await entries.noteSpeed(200)
  expect((await entries.note())?.tokensPerSecond).toBe(200)
})
