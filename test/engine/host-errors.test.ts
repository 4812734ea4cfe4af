import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Engine, EngineError, type EngineOptions, openEngine } from '../../engine/index.ts'
import { text, u32 } from '../models/gguf.ts'
import { makeModel } from '../models/index.ts'

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachalot-errors-'))
})
afterEach(() => {
  delete process.env['CACHALOT_LLAMA_LIBS']
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Opens what must not open, and gives the error. */
async function refusal(file: string, options: Partial<EngineOptions> = {}): Promise<EngineError> {
  let engine: Engine
  try {
    engine = await openEngine({ file, contextTokens: 1024, threads: 1, ...options })
  } catch (error) {
    if (error instanceof EngineError) return error
    throw error
  }
  await engine.close()
  throw new Error('it opened')
}

const model = (metadata: Parameters<typeof makeModel>[1] = {}) => makeModel('tiny-moe', { folder, ...metadata }).file
const arch = 'qwen3moe'
const children = () => readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim()

describe('openEngine refuses', () => {
  test('a missing file, a folder, something else than a GGUF', async () => {
    expect(await refusal('/no/such.gguf')).toMatchObject({ kind: 'file-missing' })
    expect(await refusal(folder)).toMatchObject({ kind: 'file-missing' })
    const page = join(folder, 'page.gguf')
    writeFileSync(page, '<!doctype html>')
    expect(await refusal(page)).toMatchObject({ kind: 'not-gguf', message: expect.stringContaining('web page') })
  })

  test('a truncated file, before the library sees it', async () => {
    const cut = join(folder, 'cut.gguf')
    writeFileSync(cut, readFileSync(model()).subarray(0, -100))
    const error = await refusal(cut)
    expect(error).toMatchObject({ kind: 'truncated', message: expect.stringContaining('Download it again') })
  })

  test('a model of which a part is missing, naming that part', async () => {
    const parts = { 'split.count': u32(3), 'split.no': u32(0) }
    const [first, second] = [1, 2].map((number) => join(folder, `m-0000${number}-of-00003.gguf`)) as [string, string]
    copyFileSync(model({ metadata: parts }), first)
    const error = await refusal(first)
    expect(error).toMatchObject({
      kind: 'file-missing',
      message: expect.stringMatching(/in 3 files.*m-00002-of-00003/),
    })
    copyFileSync(first, second)
    expect(await refusal(first)).toMatchObject({
      message: expect.stringContaining('m-00003-of-00003.gguf is not there'),
    })
    expect(await refusal(second)).toMatchObject({ message: expect.stringContaining('give the first') })
  })

  test('an architecture that the library does not know, and V4.1 by name', async () => {
    const layer = { [`nosuch.block_count`]: u32(4), [`nosuch.embedding_length`]: u32(256) }
    const error = await refusal(model({ metadata: { 'general.architecture': text('nosuch'), ...layer } }))
    expect(error).toMatchObject({ kind: 'architecture', message: expect.stringContaining("'nosuch'") })
    const newer = await refusal(model({ metadata: { 'general.architecture': text('deepseek41') } }))
    expect(newer).toMatchObject({ kind: 'architecture', message: expect.stringContaining('server') })
  })

  test('a model that does not fit into memory, telling what is needed and what is free', async () => {
    const file = model({ metadata: { [`${arch}.context_length`]: u32(2 ** 31) } })
    const error = await refusal(file, { contextTokens: 2 ** 30 })
    expect(error.kind).toBe('memory')
    expect(error.message).toMatch(/needs about [\d.]+ GB .* and [\d.]+ GB are free.*--context \d+/)
  })

  test('more context than the model was made for, naming the most', async () => {
    expect(await refusal(model(), { contextTokens: 32_769 })).toMatchObject({
      kind: 'context-too-long',
      message: expect.stringContaining('--context 32768'),
    })
  })

  test.each([
    ['4000 layers', { [`${arch}.block_count`]: u32(4000) }],
    ['more layers than there are', { [`${arch}.block_count`]: u32(5) }],
    ['no layers', { [`${arch}.block_count`]: u32(0) }],
    ['more experts in use than there are', { [`${arch}.expert_used_count`]: u32(9) }],
    ['too many experts', { [`${arch}.expert_count`]: u32(100_000) }],
    ['no attention heads', { [`${arch}.attention.head_count`]: u32(0) }],
    ['another width', { [`${arch}.embedding_length`]: u32(512) }],
  ])('%s, on which the library would end its process', async (_name, metadata) => {
    const error = await refusal(model({ metadata }))
    expect(error).toMatchObject({ kind: 'not-gguf', message: expect.stringContaining('cannot be a working model') })
  })

  test('what only the library finds wrong, with its reason', async () => {
    const error = await refusal(model({ metadata: { [`${arch}.attention.key_length`]: u32(96) } }))
    expect(error.kind).toBe('not-gguf')
    expect(error.message).toMatch(/wrong shape|assert|expected/i)
    const tokenizer = await refusal(model({ metadata: { 'tokenizer.ggml.pre': text('nonsense') } }))
    expect(tokenizer.message).toMatch(/nonsense|pre-tokenizer/)
    expect(children()).toBe('')
  })

  test('odd numbers', async () => {
    expect(await refusal(model(), { contextTokens: 0 })).toMatchObject({ kind: 'misuse' })
    expect(await refusal(model(), { contextTokens: 1.5 })).toMatchObject({ kind: 'misuse' })
    expect(await refusal(model(), { sequences: 1000 })).toMatchObject({ kind: 'misuse' })
    expect(await refusal(model(), { threads: 0 })).toMatchObject({ kind: 'misuse' })
  })

  test('a machine without the library, and a library of another layout', async () => {
    process.env['CACHALOT_LLAMA_LIBS'] = '/no/such/libraries'
    expect(await refusal(model())).toMatchObject({ kind: 'library-missing' })

    const main = createRequire(import.meta.url).resolve(`@node-llama-cpp/${process.platform}-${process.arch}`)
    const bins = join(dirname(dirname(main)), 'bins')
    const real = join(bins, readdirSync(bins).find((name) => name.startsWith(process.platform))!)
    const broken = join(folder, 'libraries')
    mkdirSync(broken)
    for (const name of readdirSync(real).filter((n) => /^lib(ggml|llama)[.-]/.test(n))) {
      if (/common|cpu/.test(name)) continue
      cpSync(join(real, name), join(broken, name))
    }
    process.env['CACHALOT_LLAMA_LIBS'] = broken
    expect(await refusal(model())).toMatchObject({
      kind: 'library-missing',
      message: expect.stringContaining('no CPU backend'),
    })
    // A library that is not llama.cpp's at all has none of its functions.
    const llama = readdirSync(broken).find((name) => name.startsWith('libllama.v'))!
    cpSync(join(real, 'libggml-base.so'), join(broken, llama))
    expect(await refusal(model())).toMatchObject({
      kind: 'library-layout',
      message: expect.stringContaining('npm ci'),
    })
    expect(children()).toBe('')
  })
})
