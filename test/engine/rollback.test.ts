import { afterEach, describe, expect, test, vi } from 'vitest'
import { usualRollback } from '../../engine/embedded/rollback.ts'
import { planFor } from '../../engine/index.ts'
import { makeModel } from '../models/index.ts'

afterEach(() => vi.unstubAllEnvs())

describe('tokens that can be taken back', () => {
  test.each([
    ['deepseek4', {}, true, 4],
    ['deepseek4', {}, false, 0],
    ['deepseek4', { gpuLayers: 0 }, true, 0],
    ['deepseek4', { gpuLayers: 20 }, true, 4],
    ['deepseek4', { cpuExperts: true }, true, 0],
    ['deepseek4', { cpuExperts: 0 }, true, 4],
    ['qwen3moe', {}, true, 0],
  ] as const)('%s, %o, GPU %s: %i', (architecture, options, gpu, tokens) => {
    expect(usualRollback(architecture, options, gpu)).toBe(tokens)
  })

  test('are counted by the plan as soon as libraries for a GPU are there', async () => {
    const { file } = makeModel('flashkv-ds4')
    const machine = { totalBytes: 2 ** 40, availableBytes: 2 ** 40 }
    const cache = async () => (await planFor(file, machine, { contexts: [65_536], sequences: 2 })).rows[0]?.need.cache
    vi.stubEnv('CACHALOT_LLAMA_LIBS', '')
    const without = (await cache()) ?? 0
    vi.stubEnv('CACHALOT_LLAMA_LIBS', '/where/they/lie')
    // The compressors of 21 layers of ratio 4 and of 20 of ratio 128, four times more for each of two sequences; and wider windows.
    const compressors = 8 * (21 * 16 * (512 + 128) + 20 * 128 * 512)
    const windows = 43 * (768 - 256) * 512 * 2
    expect((await cache()) ?? 0).toBe(without + 2 * (4 * compressors + windows))
  })
})
