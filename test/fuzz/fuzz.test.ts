/** A slice of what `npm run fuzz` does at length. */
import { afterEach, expect, test } from 'vitest'
import { type Engine, openEngine, readGgufHeader } from '../../engine/index.ts'
import { type ModelKind, makeModel } from '../models/index.ts'
import { fuzzParsers } from './parsers.ts'
import { specialTokens } from './special-tokens.ts'
import { fuzzUntrusted } from './untrusted.ts'

let engine: Engine | undefined
afterEach(async () => {
  await engine?.close()
  engine = undefined
})

test('mutated replies: no crash, no hang, no call that fails its schema', () => {
  const report = fuzzParsers(6_000, 1)
  expect(report.problems).toEqual([])
  // The mutations leave enough of the calls whole for the question to mean something.
  expect(report.accepted).toBeGreaterThan(600)
  expect(report.refused).toBeGreaterThan(150)
}, 120_000)

const kinds: readonly ModelKind[] = ['tiny-moe', 'tiny-ds4']

test.each(kinds)(
  'words of others never become special tokens of %s, in any dialect',
  async (kind) => {
    const { file } = makeModel(kind)
    engine = await openEngine({ file, contextTokens: 512, threads: 1 })
    const special = specialTokens(await readGgufHeader(file, { keepArrays: 1_000_000 }))
    expect(special.size).toBeGreaterThan(5)
    expect((await fuzzUntrusted(engine, special, 2_000, 1)).problems).toEqual([])
    // The guard bites: as control text they do become them.
    const tokens = await engine.tokenize('<think>', { control: true })
    expect(tokens.some((token) => special.has(token))).toBe(true)
  },
  120_000,
)

const real = process.env['CACHALOT_REAL_MODEL']

test.runIf(real !== undefined)(
  'nor of a real model',
  async () => {
    engine = await openEngine({ file: real!, contextTokens: 512, threads: 1 })
    const special = specialTokens(await readGgufHeader(real!, { keepArrays: 1_000_000 }))
    expect((await fuzzUntrusted(engine, special, 2_000, 2)).problems).toEqual([])
  },
  120_000,
)
