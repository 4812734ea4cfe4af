import { expect, test } from 'vitest'
import * as z from 'zod'
import data from '../../../engine/catalog/catalog.json' with { type: 'json' }
import { catalog, defaultEntry, findEntry, nearestName } from '../../../engine/catalog/lookup.ts'
import { mannerOfDialect } from '../../../engine/catalog/manners.ts'
import { publicEndpoints, sourceUrl } from '../../../engine/catalog/source.ts'
import { partNames } from '../../../engine/gguf/parts.ts'

const repo = z.string().regex(/^[\w.-]+\/[\w.-]+$/)
const hub = <Kind extends string>(kind: Kind) =>
  z.strictObject({ kind: z.literal(kind), repo, file: z.string().regex(/^[\w./-]+$/) })
const bytes = z.int().positive()

const schema = z.strictObject({
  default: z.string(),
  models: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/),
        title: z.string().min(1),
        file: z.string().regex(/^[\w.-]+\.gguf$/),
        bytes,
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
        parts: z
          .array(
            z.strictObject({ file: z.string().regex(/^[\w.-]+\.gguf$/), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
          )
          .optional(),
        architecture: z.string().min(1),
        dialect: z.string().min(1),
        finishes: z.enum(['words', 'edits']),
        prompt: z.enum(['full', 'small']),
        sampling: z.strictObject({
          temperature: z.number().min(0),
          topP: z.number().gt(0).max(1),
          topK: z.int().min(0),
          minP: z.number().min(0).max(1),
          repeatPenalty: z.number().positive(),
          seed: z.int().min(0),
        }),
        contextTokens: bytes,
        licence: z.string().min(1),
        memory: z.strictObject({
          minimumBytes: bytes,
          kvBytesPerToken: bytes,
          checkpointBytesPerToken: bytes.optional(),
          computeBytes: bytes,
        }),
        sources: z
          .array(
            z.discriminatedUnion('kind', [
              hub('huggingface').extend({
                revision: z
                  .string()
                  .regex(/^[0-9a-f]{40}$/)
                  .optional(),
              }),
              hub('modelscope'),
              z.strictObject({
                kind: z.literal('pypi'),
                package: z.string().includes('{n}'),
                version: z.string().min(1),
                file: z.string().regex(/\{nn?\}/),
                parts: bytes,
                partBytes: bytes,
              }),
            ]),
          )
          .min(1),
      }),
    )
    .min(1),
})

test('the data has the shape that the code reads it as', () => {
  expect(schema.parse(data)).toEqual(data)
})

test('names and files are unique, and parts add up to their file', () => {
  expect(new Set(catalog.map((entry) => entry.name)).size).toBe(catalog.length)
  expect(new Set(catalog.map((entry) => entry.file)).size).toBe(catalog.length)
  for (const entry of catalog) {
    if (entry.parts !== undefined) {
      expect(entry.parts.map(({ file }) => file)).toEqual(partNames(entry.file))
      expect(entry.parts[0]).toEqual({ file: entry.file, sha256: entry.sha256 })
    }
    for (const source of entry.sources) {
      if (source.kind === 'pypi') expect(Math.ceil(entry.bytes / source.partBytes)).toBe(source.parts)
    }
  }
})

test('a large model is spoken to as a file of its family would be', () => {
  for (const { dialect, finishes, prompt, sampling } of catalog.filter((entry) => entry.prompt === 'full'))
    expect({ dialect, finishes, prompt, sampling }).toEqual(mannerOfDialect(dialect))
})

test('a file of one commit is asked for there', () => {
  const source = { kind: 'huggingface', repo: 'o/r', revision: 'f'.repeat(40), file: 'a.gguf' } as const
  expect(sourceUrl(source, publicEndpoints)).toBe(`https://huggingface.co/o/r/resolve/${'f'.repeat(40)}/a.gguf`)
})

test('the default model is the one that was promised', () => {
  expect(defaultEntry()).toMatchObject({
    name: 'qwen2.5-coder-1.5b',
    bytes: 1_117_320_768,
    sha256: 'cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046',
    licence: 'Apache-2.0',
  })
})

test('a mistyped name finds the one that was meant, nonsense finds none', () => {
  const names = catalog.map((entry) => entry.name)
  expect(findEntry('Qwen2.5-Coder-0.5B')?.name).toBe('qwen2.5-coder-0.5b')
  expect(nearestName('qwen2.5-coder-1,5b', names)).toBe('qwen2.5-coder-1.5b')
  expect(nearestName('qwen2.5-coder:1.5b', names)).toBe('qwen2.5-coder-1.5b')
  expect(nearestName('0.5b', names)).toBe('qwen2.5-coder-0.5b')
  expect(nearestName('qwen-coder', names)).toMatch(/^qwen2.5-coder-/)
  expect(nearestName('zebra', names)).toBeUndefined()
})

test('the hubs are asked for the address that they document', () => {
  const [huggingface, modelscope] = defaultEntry().sources
  if (huggingface?.kind !== 'huggingface' || modelscope?.kind !== 'modelscope') throw new Error('other sources')
  const file = 'qwen2.5-coder-1.5b-instruct-q4_k_m.gguf'
  const repo = 'Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF'
  expect(sourceUrl(huggingface, publicEndpoints)).toBe(`https://huggingface.co/${repo}/resolve/main/${file}`)
  expect(sourceUrl(modelscope, publicEndpoints)).toBe(`https://modelscope.cn/models/${repo}/resolve/master/${file}`)
})
