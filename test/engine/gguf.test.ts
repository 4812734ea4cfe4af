import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EngineError, metaNumber, metaString, readGgufHeader } from '../../engine/index.ts'
import { makeModel } from '../models/index.ts'

let folder: string
let whole: Buffer

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachalot-gguf-'))
  whole = readFileSync(makeModel('tiny-moe').file)
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Writes bytes to a file and gives the kind of error that reading its header ends in, or 'fine'. */
async function outcome(bytes: Uint8Array): Promise<string> {
  const file = join(folder, 'candidate.gguf')
  writeFileSync(file, bytes)
  return readGgufHeader(file).then(
    () => 'fine',
    (error) => {
      if (error instanceof EngineError) return error.kind
      throw error
    },
  )
}

describe('readGgufHeader', () => {
  test('reads metadata, tensors and sizes', async () => {
    const header = await readGgufHeader(makeModel('tiny-moe').file)
    expect(metaString(header, 'general.architecture')).toBe('qwen3moe')
    expect(metaNumber(header, 'qwen3moe.context_length')).toBe(32768)
    expect(header.fileBytes).toBe(whole.length)
    expect(header.dataOffset % 32).toBe(0)
    const embedding = header.tensors.find((t) => t.name === 'token_embd.weight')
    expect(embedding?.shape[0]).toBe(256)
    expect(embedding?.bytes).toBe(256 * 2 * (embedding?.shape[1] ?? 0))
    expect(header.digest).toMatch(/^[0-9a-f]{64}$/)
  })

  test('keeps long arrays as their length only', async () => {
    const header = await readGgufHeader(makeModel('tiny-moe').file, { keepArrays: 10 })
    const tokens = header.metadata.get('tokenizer.ggml.tokens')
    expect(tokens).toEqual({ length: makeModel('tiny-moe').vocabulary.tokens.length })
  })

  test('the digest tells headers apart', async () => {
    const plain = await readGgufHeader(makeModel('tiny-moe').file)
    const other = await readGgufHeader(makeModel('tiny-moe-copy', { reply: ['hello there'] }).file)
    expect(other.digest).not.toBe(plain.digest)
  })

  test.each([
    ['nothing', new Uint8Array(0), 'not-gguf'],
    ['a web page', Buffer.from('<!doctype html><html>sign in</html>'), 'not-gguf'],
    ['magic only', Buffer.from('GGUF'), 'truncated'],
    ['version 1', Buffer.from('GGUF\x01\0\0\0aaaaaaaaaaaaaaaa', 'latin1'), 'not-gguf'],
    ['endless counts', Buffer.concat([Buffer.from('GGUF\x03\0\0\0', 'latin1'), Buffer.alloc(16, 255)]), 'not-gguf'],
  ])('refuses %s', async (_name, bytes, kind) => {
    expect(await outcome(bytes)).toBe(kind)
  })

  test('a missing file names itself', async () => {
    await expect(readGgufHeader('/no/such/model.gguf')).rejects.toThrow(/\/no\/such\/model\.gguf/)
    await expect(readGgufHeader(folder)).rejects.toThrow(/is a folder. Give the path of a model's .gguf file/)
  })

  test('a pipe is refused, not waited for', async () => {
    const pipe = join(folder, 'pipe.gguf')
    execFileSync('mkfifo', [pipe])
    await expect(readGgufHeader(pipe)).rejects.toMatchObject({ kind: 'file-missing' })
  })

  test('what is cut in its header, or empty, says how to mend it', async () => {
    for (const bytes of [Buffer.alloc(0), whole.subarray(0, 24), whole.subarray(0, 1000)]) {
      const cut = join(folder, 'cut.gguf')
      writeFileSync(cut, bytes)
      await expect(readGgufHeader(cut)).rejects.toThrow(/cachalot model pull/)
    }
  })

  test('a file cut off anywhere is truncated, also by one byte of weights', async () => {
    const { dataOffset } = await readGgufHeader(makeModel('tiny-moe').file)
    for (const end of [5, 24, 100, 1000, dataOffset - 1, dataOffset, whole.length >> 1, whole.length - 1])
      expect(await outcome(whole.subarray(0, end)), `cut at ${end}`).toBe('truncated')
    expect(await outcome(whole)).toBe('fine')
  })

  test('damaged headers never end in anything but an EngineError', async () => {
    // Weights are not needed to get past the header's own checks.
    const head = whole.subarray(0, 40_000)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(head.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        async (changes) => {
          const bytes = Buffer.from(head)
          for (const [at, value] of changes) bytes[at] = value
          // With no tensors left in its count, a header is whole again.
          expect(['not-gguf', 'truncated', 'fine']).toContain(await outcome(bytes))
        },
      ),
      { numRuns: 300 },
    )
  })
})
