/** Readings that are kept, with the real engine: what was read once is loaded from then on. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  dialectByName,
  type Model,
  type ModelSession,
  openEmbedded,
  openEngine,
  openKvStore,
  type Segment,
  type Usage,
} from '../../../engine/index.ts'
import { listEntries } from '../../../engine/kv/entries.ts'
import { placesToKeep } from '../../../engine/session/readings.ts'
import { makeModel } from '../../models/index.ts'

// Tokens are evaluated on whatever the other work of the machine leaves: how long that takes says nothing of the code.
vi.setConfig({ testTimeout: 1_200_000, hookTimeout: 1_200_000 })

let folder: string
const open: Model[] = []
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'cachalot-readings-')), 'kv')
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((model) => model.close()))
  rmSync(join(folder, '..'), { recursive: true })
})

type Kind = 'tiny-moe' | 'tiny-ds4'
const calm = new AbortController().signal
const notices: string[] = []

async function modelOn(kind: Kind, signal: AbortSignal = calm): Promise<Model> {
  const engine = await openEngine({ file: makeModel(kind).file, contextTokens: 8192, threads: 1 })
  const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }
  const kept = {
    store: openKvStore({ folder, maxBytes: 1e10 }),
    signal,
    onNotice: (text: string) => notices.push(text),
  }
  const info = { name: kind, finishes: 'words', prompt: 'full' } as const
  const model = openEmbedded({ engine, dialect: dialectByName('qwen'), info, sampling, kept })
  open.push(model)
  return model
}

const words = (count: number, seed: number) =>
  Array.from({ length: count }, (_, i) => `w${(i * 7 + seed) % 97}`).join(' ')
const prefix = (seed = 0): Segment[] => [
  { name: 'system', messages: [{ role: 'system', text: 'Be brief.', tools: [] }] },
  { name: 'repository', messages: [{ role: 'user', text: words(4 * 97, seed) }] },
]

async function ask(session: ModelSession, text: string): Promise<{ usage: Usage; said: string }> {
  await session.append([{ role: 'user', text }])
  for await (const event of session.respond({ signal: calm, maxTokens: 12 })) {
    if (event.type === 'done') return { usage: event.usage, said: JSON.stringify(event.message.sampled) }
    if (event.type === 'error') throw new Error(event.failure.message)
  }
  throw new Error('no end')
}

/** One process' life: opens the model, asks once on the prefix, ends. */
async function life(kind: Kind, text: string, seed = 0): Promise<{ usage: Usage; said: string }> {
  const model = await modelOn(kind)
  const session = await model.start(prefix(seed))
  const answer = await ask(session, text)
  await session.close()
  await model.close()
  return answer
}

describe.each(['tiny-moe', 'tiny-ds4'] as const)('%s', (kind) => {
  test('the second session evaluates only what is new, and answers as if it had read all', async () => {
    const cold = await life(kind, 'one')
    expect(cold.usage.cachedTokens).toBe(0)
    const warm = await life(kind, 'one')
    expect(warm.said).toBe(cold.said)
    expect(warm.usage.promptTokens).toBe(cold.usage.promptTokens)
    expect(warm.usage.evaluatedTokens).toBeLessThan(100)
    const other = await life(kind, 'two')
    expect(other.usage.evaluatedTokens).toBeLessThan(100)
    const elsewhere = await life(kind, 'one', 3)
    expect(elsewhere.usage.cachedTokens).toBeLessThan(100)
    expect(notices).toEqual([])
  })

  test('read without an answer: told as it goes, stopped in the middle it keeps what is done', async () => {
    const model = await modelOn(kind)
    const session = await model.start(prefix())
    const stop = new AbortController()
    const seen: number[] = []
    const part = await session.read!({
      signal: stop.signal,
      onProgress: (done) => {
        seen.push(done)
        if (done > 300) stop.abort()
      },
    })
    expect(seen[0]).toBe(0)
    expect(part.evaluatedTokens).toBeGreaterThan(300)
    const { tokens } = await model.readings!.saved(prefix())
    expect(part.evaluatedTokens).toBeLessThan(tokens)
    await model.close()

    const again = await modelOn(kind)
    const rest = await (await again.start(prefix())).read!({ signal: calm })
    expect(rest.cachedTokens).toBe(part.evaluatedTokens)
    expect(rest.promptTokens).toBe(tokens)
    expect(await again.readings!.saved(prefix())).toEqual({ tokens, saved: tokens })
    expect(await again.readings!.tokensPerSecond()).toBeGreaterThan(1)
    await again.close()
    const talk: Segment = { name: 'conversation', messages: [{ role: 'user', text: 'What is it?' }] }
    const longer = await (await modelOn(kind)).start([...prefix(5), talk])
    const { promptTokens } = await longer.read!({ signal: calm })
    // Another conversation begins with the prefix alone.
    const short = await (await (await modelOn(kind)).start(prefix(5))).read!({ signal: calm })
    expect(short.evaluatedTokens).toBe(0)
    expect(promptTokens).toBeGreaterThan(short.promptTokens)
    const none = await (await (await modelOn(kind)).start(prefix())).read!({ signal: calm })
    expect(none.evaluatedTokens).toBe(0)
  })
})

test('broken and misnamed readings are refused, thrown away and made anew', async () => {
  const cold = await life('tiny-moe', 'one')
  const [entry] = await listEntries(folder)
  const bytes = readFileSync(entry!.file)
  bytes[bytes.length >> 1] = bytes[bytes.length >> 1]! ^ 1
  writeFileSync(entry!.file, bytes)
  const rebuilt = await life('tiny-moe', 'one')
  expect(rebuilt).toMatchObject({ said: cold.said, usage: { cachedTokens: 0 } })
  expect((await life('tiny-moe', 'one')).usage.cachedTokens).toBeGreaterThan(1000)

  // Whole, of the same model, but of another text: put under the first one's name.
  await life('tiny-moe', 'one', 3)
  const other = (await listEntries(folder)).find(({ id }) => id !== entry!.id)!
  expect(other.tokens).toBe(entry!.tokens)
  writeFileSync(entry!.file, readFileSync(other.file))
  const refused = await life('tiny-moe', 'one')
  expect(refused.said).toBe(cold.said)
  expect(refused.usage.cachedTokens).toBe(0)
})

test('an interrupted program saves nothing more and does not wait', async () => {
  const stop = new AbortController()
  const model = await modelOn('tiny-moe', stop.signal)
  const session = await model.start(prefix())
  stop.abort()
  await ask(session, 'one')
  await model.close()
  expect(existsSync(folder) ? await listEntries(folder) : []).toEqual([])
})

test('places: ends of segments and strides of what is new, nothing for a short text', () => {
  expect(placesToKeep([100, 800], 0)).toEqual([])
  expect(placesToKeep([100, 800], 0, 5)).toEqual([800])
  expect(placesToKeep([300, 5000], 0)).toEqual([300, 5000])
  expect(placesToKeep([300, 50_000], 0)).toEqual([300, 16_384, 32_768, 50_000])
  expect(placesToKeep([300, 50_000], 20_000)).toEqual([32_768, 50_000])
  expect(placesToKeep([300, 50_000], 50_000)).toEqual([])
})
