/** Whether a reading holds a text is told from its tokens alone. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { writeState } from '../../../engine/kv/envelope.ts'
import { holdsText, markOf } from '../../../engine/kv/mark.ts'

const text = (length: number, seed = 0) => Array.from({ length }, (_, i) => ((i * 31) % 997) + seed)

function place() {
  const folder = mkdtempSync(join(tmpdir(), 'cachalot-mark-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  let n = 0
  return async (tokens: readonly number[]) => {
    const file = join(folder, `${++n}.kv`)
    await writeState(file, { key: 'm', tokens: Int32Array.from(tokens), parts: [Buffer.alloc(100)] })
    return { file }
  }
}

test('a text stands anywhere in a reading, or its beginning at the end of one', async () => {
  const saved = place()
  const repository = text(1000)
  const mark = markOf(repository)
  const system = text(300, 5000)
  const holds = async (...parts: readonly (readonly number[])[]) => await holdsText(await saved(parts.flat()), mark)
  expect(await holds(system, repository)).toBe(true)
  expect(await holds(repository, text(400, 7000))).toBe(true)
  expect(await holds(system, repository.slice(0, 700))).toBe(true)
  // Little of it, none, and one that begins in the same way and goes on otherwise.
  expect(await holds(system, repository.slice(0, 200))).toBe(false)
  expect(await holds(system)).toBe(false)
  expect(await holds(system, repository.slice(0, 600), text(400, 9000))).toBe(false)
  expect(await holds(system, repository.slice(0, 990), text(10, 9000))).toBe(false)
})

test('a short text is held whole or not; what is damaged or gone holds nothing', async () => {
  const saved = place()
  const mark = markOf(text(90))
  expect(await holdsText(await saved([9, 8, ...text(90), 7]), mark)).toBe(true)
  expect(await holdsText(await saved([9, 8, ...text(89), 7, 7]), mark)).toBe(false)
  expect(await holdsText(await saved([]), markOf([]))).toBe(false)
  const damaged = await saved(text(90))
  writeFileSync(damaged.file, 'no state')
  expect(await holdsText(damaged, mark)).toBe(false)
  expect(await holdsText({ file: `${damaged.file}-gone` }, mark)).toBe(false)
})
