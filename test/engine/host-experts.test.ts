import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type EngineOptions, planFor } from '../../engine/index.ts'
import { f32, float, type Tensor, text, writeGguf } from '../models/gguf.ts'
import { makeModel } from '../models/index.ts'
import { upcycle } from '../models/upcycle.ts'
import { calm, closeEngines, engineOn, ids, prompt, reply } from './support.ts'

closeEngines()
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachalot-experts-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function says(file: string, options: Partial<EngineOptions> = {}): Promise<number[]> {
  const engine = await engineOn(file, options)
  const sequence = await engine.sequence()
  await sequence.prefill(prompt(60), { signal: calm })
  const said = ids(await reply(sequence, 65, { maxTokens: 24 }))
  await engine.close()
  return said
}

test('experts placed by override say what they say without', async () => {
  const { file } = makeModel('tiny-moe')
  const plain = await says(file)
  expect(await says(file, { cpuExperts: true })).toEqual(plain)
  expect(await says(file, { cpuExperts: 2 })).toEqual(plain)
})

test('a q8_0 cache works in both architectures', async () => {
  for (const kind of ['tiny-moe', 'tiny-ds4'] as const) {
    expect(await says(makeModel(kind).file, { kvType: 'q8_0' })).not.toEqual([])
  }
})

describe('an adapter', () => {
  /** Rank 2 on the first layer's query matrix (256 × 512 in tiny-moe). */
  function adapter(name: string, metadata: Parameters<typeof writeGguf>[1] = {}, strength = 0.5): string {
    const file = join(folder, name)
    const tensor = (name: string, shape: readonly number[]): Tensor => ({
      name,
      type: f32,
      shape,
      fill: (i) => Math.sin(i) * strength,
    })
    writeGguf(
      file,
      {
        'general.type': text('adapter'),
        'general.architecture': text('qwen3moe'),
        'adapter.type': text('lora'),
        'adapter.lora.alpha': float(4),
        ...metadata,
      },
      [tensor('blk.0.attn_q.weight.lora_a', [256, 2]), tensor('blk.0.attn_q.weight.lora_b', [2, 512])],
    )
    return file
  }

  test('changes what is said, by its scale, and the identity of what is saved', async () => {
    const { file } = makeModel('tiny-moe')
    const plain = await says(file)
    expect(await says(file, { adapter: adapter('a.gguf') })).not.toEqual(plain)
    expect(await says(file, { adapter: adapter('a.gguf'), adapterScale: 0 })).toEqual(plain)
    const without = await engineOn(file)
    const withOne = await engineOn(file, { adapter: adapter('a.gguf') })
    expect(withOne.info.identity).not.toBe(without.info.identity)
    const state = join(folder, 'adapter.state')
    const sequence = await withOne.sequence()
    await sequence.prefill(prompt(20), { signal: calm })
    await sequence.save(state)
    await expect((await without.sequence()).load(state)).rejects.toMatchObject({ kind: 'bad-state' })
  })

  test('that is none, is missing, or is made for another model is refused', async () => {
    const { file } = makeModel('tiny-moe')
    const refused = (adapter: string) => expect(engineOn(file, { adapter }))
    await refused(file).rejects.toMatchObject({ kind: 'not-gguf', message: expect.stringContaining('not a LoRA') })
    await refused(join(folder, 'no.gguf')).rejects.toMatchObject({
      kind: 'file-missing',
      message: expect.stringMatching(/adapter .*no.gguf cannot be used: there is no such file/),
    })
    const other = adapter('b.gguf', { 'general.architecture': text('llama') })
    await refused(other).rejects.toMatchObject({ kind: 'architecture' })
  })
})

const real = process.env['CACHALOT_REAL_MODEL']
if (real?.includes('0.5b'))
  test('a dense model made into a mixture of experts says the same, token for token', async () => {
    const file = join(folder, 'upcycled.gguf')
    await upcycle(real, file)
    const machine = { totalBytes: 64e9, availableBytes: 64e9 }
    const plan = await planFor(file, machine)
    expect(plan.architecture).toBe('glm4moe')
    expect(plan.activeBytes).toBeLessThan(plan.weightsBytes / 2)
    const said: string[] = []
    for (const options of [{ file: real }, { file }, { file, cpuExperts: true }]) {
      const engine = await engineOn(options.file, { ...options, contextTokens: 512, sequences: 1 })
      const sequence = await engine.sequence()
      const question =
        '<|im_start|>user\nWrite a Python function that adds two numbers.<|im_end|>\n<|im_start|>assistant\n'
      const tokens = await engine.tokenize(question, { control: true })
      await sequence.prefill(tokens.slice(0, -1), { signal: calm })
      said.push(ids(await reply(sequence, tokens.at(-1)!, { maxTokens: 32, speculate: false })).join())
      await engine.close()
    }
    expect(new Set(said).size).toBe(1)
  }, 400_000)
