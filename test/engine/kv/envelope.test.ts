/** What is on disk under its final name is whole and true, or it is refused: no engine needed for that. */
import { createHash } from 'node:crypto'
import { constants, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { blockBytes, inBlocks, pieceBytes } from '../../../engine/kv/description.ts'
import { describeState, type PastCache, readState, writeState } from '../../../engine/kv/envelope.ts'
import { killedSaves } from './killed-saves.ts'
import { readWhole, writeWhole } from './whole-state.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachalot-kv-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const tokens = Int32Array.from({ length: 999 }, (_, i) => i * 7)
/** Bytes that differ from piece to piece and from part to part. */
const partsOf = (sizes: readonly number[]): Buffer[] =>
  sizes.map((bytes, index) => {
    const part = Buffer.alloc(bytes, `part ${index}`)
    for (let at = 0; at < bytes; at += 4096) part.writeUInt8((at / 4096) % 251, at)
    return part
  })

test.each([
  [[]],
  [[0]],
  [[1]],
  [[pieceBytes]],
  [[pieceBytes + 1]],
  [[40_000_000]],
  [[3_000_000, 3_000_000, 1, 3_000_001, 0, 2_999_999, 3_000_000, 17]],
  [[10_000_000, 9_000_000]],
])('a state with parts of %j bytes comes back', async (sizes) => {
  const file = join(folder, 'a.kv')
  const parts = partsOf(sizes)
  const size = await writeWhole(file, { key: 'model x', tokens, parts })
  expect(readFileSync(file).length).toBe(size)
  const back = await readWhole(file)
  expect(back.key).toBe('model x')
  expect(back.tokens).toEqual(tokens)
  expect(back.parts.map((part) => part.length)).toEqual(sizes)
  expect(back.parts.every((part, i) => part.equals(parts[i] ?? Buffer.alloc(0)))).toBe(true)
  expect(await describeState(file)).toMatchObject({ key: 'model x', tokens: 999, parts: sizes })
  expect(readdirSync(folder)).toEqual(['a.kv'])
})

test('any flipped bit and any cut is refused', async () => {
  const file = join(folder, 'a.kv')
  await writeWhole(file, { key: 'k', tokens: Int32Array.from([1, 2, 3]), parts: partsOf([200, 0, 100]) })
  const good = readFileSync(file)
  const broken = join(folder, 'b.kv')
  // Of blocks that are mostly zeros every byte near an edge, and some between.
  for (let at = 0; at < good.length; at += at < 400 || at % blockBytes < 300 || at > 3 * blockBytes ? 1 : 97) {
    const flipped = Buffer.from(good)
    flipped[at] = flipped[at]! ^ (1 << (at % 8))
    writeFileSync(broken, flipped)
    await expect(readWhole(broken), `byte ${at}`).rejects.toMatchObject({ kind: 'bad-state' })
    writeFileSync(broken, good.subarray(0, at))
    await expect(readWhole(broken), `cut at ${at}`).rejects.toMatchObject({ kind: 'bad-state' })
  }
  writeFileSync(broken, Buffer.concat([good, Buffer.from('x')]))
  await expect(readWhole(broken)).rejects.toMatchObject({ kind: 'bad-state' })
  for (const older of ['cachalot-state 2', 'cachalot-state 3']) {
    writeFileSync(broken, good.toString('latin1').replace('cachalot-state 4', older), 'latin1')
    await expect(readWhole(broken)).rejects.toThrow(/this version/)
  }
})

test('a flipped bit in any piece: what is before it is handed out, it and what follows is not', async () => {
  const file = join(folder, 'a.kv')
  const sizes = [...new Array<number>(7).fill(100_000), 2 * pieceBytes + 5]
  await writeWhole(file, { key: 'k', tokens, parts: partsOf(sizes) })
  const good = readFileSync(file)
  const starts = sizes.map((_, i) => blockBytes + sizes.slice(0, i).reduce((sum, bytes) => sum + inBlocks(bytes), 0))
  const last = starts.at(-1) ?? 0
  const places: [at: number, part: number][] = [
    ...starts.map((start, part): [number, number] => [start + 50_000, part]),
    [last + pieceBytes, 7],
    [last + 2 * pieceBytes + 4, 7],
  ]
  for (const [at, part] of places) {
    const flipped = Buffer.from(good)
    flipped[at] = flipped[at]! ^ 4
    writeFileSync(file, flipped)
    let seen = 0
    const reading = readState(file, async ({ parts }) => {
      for await (const _ of parts) seen++
    })
    await expect(reading, `byte ${at}`).rejects.toThrow(/damaged/)
    expect(seen, `byte ${at}`).toBe(part)
  }
})

test('two pieces that changed places are refused, and a file cut at the edge of a part', async () => {
  const file = join(folder, 'a.kv')
  await writeWhole(file, { key: 'k', tokens, parts: partsOf([5000, 5000, 5000]) })
  const good = readFileSync(file)
  const swapped = Buffer.from(good)
  const [first, second] = [blockBytes, 3 * blockBytes]
  good.copy(swapped, first, second, second + 5000)
  good.copy(swapped, second, first, first + 5000)
  writeFileSync(file, swapped)
  await expect(readWhole(file)).rejects.toThrow(/damaged/)
  for (const blocks of [0, 1, 3, 5, 7, 7 + (4 * tokens.length) / blockBytes]) {
    const edge = blocks * blockBytes
    writeFileSync(file, good)
    truncateSync(file, edge)
    await expect(readWhole(file), `cut at ${edge}`).rejects.toThrow(edge === 0 ? /this version/ : /cut short/)
  }
})

test('a description that was made to fit other parts is refused by what it says of itself', async () => {
  const file = join(folder, 'a.kv')
  await writeWhole(file, { key: 'k', tokens, parts: partsOf([5000, 5000]) })
  const good = readFileSync(file)
  const textBytes = good.readUInt32LE(good.length - 4)
  const textAt = good.length - 36 - textBytes
  const text = good.toString('utf8', textAt, textAt + textBytes)
  const withText = (changed: string): void => {
    const digest = createHash('sha256').update(changed).digest()
    const length = Buffer.alloc(4)
    length.writeUInt32LE(changed.length)
    writeFileSync(file, Buffer.concat([good.subarray(0, textAt), Buffer.from(changed), digest, length]))
  }
  withText(text)
  await expect(readWhole(file)).resolves.toMatchObject({ key: 'k' })
  for (const [from, to] of [
    ['[5000,5000]', '[5000,5001]'],
    ['[5000,5000]', '[5000,-5000]'],
    ['[5000,5000]', '[10000]'],
    ['[5000,5000]', '[5001,4999]'],
    ['[5000,5000]', '[8192,8192]'],
    ['"tokens":999', '"tokens":998'],
    ['"tokens":999', '"tokens":1e99'],
    ['"sums":[', '"sums":["00000000000000000000000000000000",'],
    ['{', ''],
  ] as const) {
    withText(text.replace(from, to))
    await expect(readWhole(file), `${from} → ${to}`).rejects.toMatchObject({ kind: 'bad-state' })
  }
})

test('past the page cache it comes back the same, and damage is seen; where that way fails the other one is taken', async () => {
  const file = join(folder, 'a.kv')
  const parts = partsOf([3_000_000, 3_000_001, 17, 2 * pieceBytes + 5])
  await writeWhole(file, { key: 'k', tokens, parts })
  let reads = 0
  const past = (flags: number, failing = false): PastCache => ({
    allocate: Buffer.alloc,
    async open() {
      const handle = await open(file, flags)
      const read = handle.read.bind(handle) as (...args: unknown[]) => Promise<unknown>
      const counted = (...args: unknown[]): Promise<unknown> => {
        reads++
        return failing && reads % 2 === 0 ? Promise.reject(new Error('EINVAL')) : read(...args)
      }
      return Object.assign(handle, { read: counted })
    },
  })
  const back = (way: PastCache): Promise<boolean> =>
    readState(
      file,
      async (saved) => {
        let same = true
        let index = 0
        for await (const part of saved.parts) same = same && parts[index++]?.equals(part) === true
        return same && index === parts.length
      },
      way,
    )
  for (const way of [past(constants.O_RDONLY), past(constants.O_RDONLY, true)]) {
    reads = 0
    expect(await back(way)).toBe(true)
    expect(reads).toBeGreaterThan(4)
  }
  const bytes = readFileSync(file)
  bytes.writeUInt8(bytes.readUInt8(blockBytes + 7) ^ 1, blockBytes + 7)
  writeFileSync(file, bytes)
  await expect(back(past(constants.O_RDONLY))).rejects.toThrow(/damaged/)
})

test('what its user throws comes through, and the file is closed', async () => {
  const file = join(folder, 'a.kv')
  await writeWhole(file, { key: 'k', tokens, parts: partsOf([1000, 1000, 1000]) })
  const why = new Error('it is of another model')
  await expect(readState(file, () => Promise.reject(why))).rejects.toBe(why)
  const taken = readState(file, async ({ parts }) => {
    for await (const _ of parts) throw why
  })
  await expect(taken).rejects.toBe(why)
})

test('a state whose parts cannot be made leaves nothing behind', async () => {
  async function* parts(): AsyncGenerator<Buffer> {
    yield Buffer.alloc(100_000)
    throw new Error('no more memory')
  }
  const saving = writeState(join(folder, 'a.kv'), { key: 'k', tokens, parts: parts() })
  await expect(saving).rejects.toThrow(/could not be saved.*no more memory/)
  expect(readdirSync(folder)).toEqual([])
})

test('kill -9 at 50 moments of saving: what bears a name is whole and what the name says', {
  timeout: 120_000,
}, async () => {
  expect(await killedSaves(folder, 50)).toBeGreaterThan(0)
})
