import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { memoryNeed } from '../../engine/embedded/memory.ts'
import { listDevices, measureBandwidth, planFor, readGgufHeader } from '../../engine/index.ts'
import { makeModel } from '../models/index.ts'
import { calm, closeEngines, engineOn, prompt, reply, theHost } from './support.ts'

closeEngines()
const gib = 1024 ** 3

/** What the host process holds of memory, as the kernel counts it, in bytes. */
function used(): number {
  const rollup = readFileSync(`/proc/${theHost()}/smaps_rollup`, 'utf8')
  return Number(/^Rss:\s+(\d+) kB/m.exec(rollup)?.[1]) * 1024
}

async function planned(file: string, contextTokens: number, kvType: 'f16' | 'q8_0', rollbackTokens: number) {
  const { total, checkpoints } = memoryNeed(await readGgufHeader(file), { contextTokens, kvType, rollbackTokens })
  // One token in: there is no checkpoint yet.
  return total - checkpoints
}

async function ratio(
  file: string,
  contextTokens: number,
  kvType: 'f16' | 'q8_0' = 'f16',
  rollbackTokens = 0,
): Promise<number> {
  const engine = await engineOn(file, { contextTokens, kvType, rollbackTokens, sequences: 1 })
  const sequence = await engine.sequence()
  await sequence.prefill(prompt(128), { signal: calm })
  await reply(sequence, 65, { maxTokens: 2 })
  return (await planned(file, contextTokens, kvType, rollbackTokens)) / used()
}

describe('the plan of memory agrees within 5 % with what the process uses', () => {
  test.each([
    [65_536, 'f16', 0],
    [262_144, 'f16', 0],
    [65_536, 'q8_0', 0],
    [65_536, 'f16', 4],
    [262_144, 'f16', 4],
  ] as const)(
    "V4-Flash's cache at %i tokens, %s, %i to be taken back",
    async (contextTokens, kvType, rollbackTokens) => {
      const found = await ratio(makeModel('flashkv-ds4').file, contextTokens, kvType, rollbackTokens)
      expect(found).toBeGreaterThan(0.95)
      expect(found).toBeLessThan(1.05)
    },
    120_000,
  )

  const real = process.env['CACHALOT_REAL_MODEL']
  if (real)
    test.each([
      [4096, 'f16'],
      [32_768, 'f16'],
      [32_768, 'q8_0'],
    ] as const)(
      'a real model at %i tokens, %s',
      async (contextTokens, kvType) => {
        const found = await ratio(real, contextTokens, kvType)
        // What is repacked is there twice as long as the system has room for that.
        expect(found).toBeGreaterThan(real.includes('0.5b') ? 0.95 : 0.6)
        expect(found).toBeLessThan(1.05)
      },
      120_000,
    )
})

describe('planFor', () => {
  const machine = { totalBytes: 8 * gib, availableBytes: 4 * gib }

  test('tells the ladder of contexts, what fits, and the longest that does', async () => {
    const plan = await planFor(makeModel('flashkv-ds4').file, machine, { bandwidth: 20e9, sequences: 1 })
    expect(plan).toMatchObject({ architecture: 'deepseek4', trainedTokens: 1_048_576 })
    const f16 = plan.rows.filter((row) => row.kvType === 'f16')
    expect(f16.map((row) => row.contextTokens)).toEqual([32_768, 131_072, 262_144, 1_048_576])
    expect(f16.map((row) => row.verdict)).toEqual(['yes', 'yes', 'yes', 'no'])
    expect(plan.longest.q8_0).toBeGreaterThan(plan.longest.f16 * 1.4)
    for (const kvType of ['f16', 'q8_0'] as const) {
      const header = await readGgufHeader(makeModel('flashkv-ds4').file)
      const total = (contextTokens: number) => memoryNeed(header, { contextTokens, kvType }).total
      expect(total(plan.longest[kvType])).toBeLessThanOrEqual(machine.availableBytes)
      expect(total(plan.longest[kvType] + 1024)).toBeGreaterThan(machine.availableBytes - 512 * 1024 * 1024)
    }
    // Two of eight experts, and no embedding: less than all.
    expect(plan.activeBytes).toBeLessThan(plan.weightsBytes)
    expect(plan.expertBytes).toBeGreaterThan(0)
    expect(plan.tokensPerSecond).toBeCloseTo(20e9 / plan.activeBytes)
  })

  test('names no context that the model was not made for', async () => {
    const plan = await planFor(makeModel('tiny-moe').file, machine)
    expect(plan.rows.map((row) => [row.kvType, row.contextTokens])).toEqual([
      ['f16', 32_768],
      ['q8_0', 32_768],
    ])
    expect(plan.tokensPerSecond).toBeUndefined()
  })
})

describe('the machine', () => {
  test('has a processor that is listed', async () => {
    const devices = await listDevices()
    const cpu = devices.find(({ kind }) => kind === 'cpu')
    expect(cpu?.totalBytes).toBeGreaterThan(gib)
    expect(cpu?.description).not.toBe('')
  })

  test('reads memory at a speed that can be', async () => {
    const bytesPerSecond = await measureBandwidth(0.3)
    expect(bytesPerSecond).toBeGreaterThan(0.2e9)
    expect(bytesPerSecond).toBeLessThan(5e12)
  })
})
