/** What is on disk under its final name is whole and true, or it is refused: no engine needed for that. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { describeState, readState, writeState } from '../../../engine/kv/envelope.ts'
import { killedSaves } from './killed-saves.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachalot-kv-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test.each([0, 1, 8 * 1024 * 1024, 8 * 1024 * 1024 + 1, 50_000_000])('a state of %i bytes comes back', async (bytes) => {
  const file = join(folder, 'a.kv')
  const tokens = Int32Array.from({ length: 999 }, (_, i) => i * 7)
  const state = Buffer.alloc(bytes, 'cachalot')
  const size = await writeState(file, { key: 'model x', tokens, state })
  expect(readFileSync(file).length).toBe(size)
  const back = await readState(file)
  expect(back.key).toBe('model x')
  expect(back.tokens).toEqual(tokens)
  expect(back.state.equals(state)).toBe(true)
  expect(await describeState(file)).toMatchObject({ key: 'model x', tokens: 999, stateBytes: bytes })
  expect(readdirSync(folder)).toEqual(['a.kv'])
})

test('any flipped bit and any cut is refused', async () => {
  const file = join(folder, 'a.kv')
  await writeState(file, { key: 'k', tokens: Int32Array.from([1, 2, 3]), state: Buffer.alloc(300, 1) })
  const good = readFileSync(file)
  const broken = join(folder, 'b.kv')
  for (let at = 0; at < good.length; at += 3) {
    const flipped = Buffer.from(good)
    flipped[at] = flipped[at]! ^ (1 << (at % 8))
    writeFileSync(broken, flipped)
    await expect(readState(broken), `byte ${at}`).rejects.toMatchObject({ kind: 'bad-state' })
    writeFileSync(broken, good.subarray(0, at))
    await expect(readState(broken), `cut at ${at}`).rejects.toMatchObject({ kind: 'bad-state' })
  }
  writeFileSync(broken, Buffer.concat([good, Buffer.from('x')]))
  await expect(readState(broken)).rejects.toMatchObject({ kind: 'bad-state' })
  writeFileSync(broken, good.toString('latin1').replace('cachalot-state 2', 'cachalot-state 1'), 'latin1')
  await expect(readState(broken)).rejects.toThrow(/this version/)
  await expect(readState(file, () => 'it is of another model')).rejects.toThrow(/another model/)
})

test('kill -9 at 50 moments of saving: what bears a name is whole and what the name says', {
  timeout: 120_000,
}, async () => {
  expect(await killedSaves(folder, 50)).toBeGreaterThan(0)
})
