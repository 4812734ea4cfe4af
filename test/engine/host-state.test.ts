import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Checkpoints } from '../../engine/host/checkpoints.ts'
import { blockBytes, inBlocks } from '../../engine/kv/description.ts'
import { describeState, readState } from '../../engine/kv/envelope.ts'
import { makeModel } from '../models/index.ts'
import { calm, closeEngines, engineOn, ids, prompt, reply, theHost } from './support.ts'

closeEngines()
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachalot-state-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A digest of each part of a saved state. */
const partsOf = (file: string): Promise<string[]> =>
  readState(file, async ({ parts }) => {
    const sums: string[] = []
    for await (const part of parts) sums.push(createHash('sha256').update(part).digest('hex'))
    return sums
  })

/** The largest interval of small checkpoints. */
const interval = 1024

describe.each(['tiny-moe', 'tiny-ds4'] as const)('%s', (kind) => {
  test('prefill → decode → checkpoint → rewind → fork → save → kill -9 → restore: identical continuation', async () => {
    // Under 768 tokens: from there on V4's restored window lies in other cells, and sums come in another order.
    const { file } = makeModel(kind)
    const engine = await engineOn(file)
    const sequence = await engine.sequence()
    await sequence.prefill(prompt(300), { signal: calm, checkpoints: [200] })
    await sequence.checkpoint()
    const first = ids(await reply(sequence, 65, { maxTokens: 40 }))
    expect(sequence.length).toBe(300 + first.length)
    await sequence.prefill(prompt(100, 2), { signal: calm })
    await sequence.rewind(300)
    expect([sequence.length, sequence.evaluated]).toEqual([300, 300])
    expect(ids(await reply(sequence, 65, { maxTokens: 40 }))).toEqual(first)

    // Between two checkpoints: what lies after the earlier one is evaluated again.
    await sequence.rewind(250)
    expect([sequence.length, sequence.evaluated]).toEqual([250, kind === 'tiny-ds4' ? 200 : 250])
    await sequence.prefill(prompt(300).slice(250), { signal: calm })
    expect([sequence.length, sequence.evaluated]).toEqual([300, 300])
    const fork = await sequence.fork()
    expect(ids(await reply(fork, 65, { maxTokens: 40 }))).toEqual(first)
    await fork.rewind(200)
    expect(fork.evaluated).toBe(200)

    const state = join(folder, `${kind}.state`)
    await sequence.save(state)
    process.kill(theHost(), 'SIGKILL')
    await expect.poll(() => sequence.evaluated).toBe(0)
    await expect(sequence.load(state)).resolves.toHaveLength(300)
    expect(ids(await reply(sequence, 65, { maxTokens: 40 }))).toEqual(first)
    await sequence.rewind(300)
    // What was loaded can be come back to.
    expect(sequence.evaluated).toBe(300)
    expect(ids(await reply(sequence, 65, { maxTokens: 40 }))).toEqual(first)
  })
})

describe('a state of several parts', () => {
  // 2,064 bytes of state a token: two parts and a bit.
  const length = 4100

  test('goes in and out beside other sequences, one of them speaking, and continues in the same way', async () => {
    const { file } = makeModel('tiny-moe')
    const state = join(folder, 'parts.state')
    const engine = await engineOn(file, { contextTokens: 16_384, sequences: 6 })
    const sequence = await engine.sequence()
    await sequence.prefill(prompt(length), { signal: calm })
    const before = await sequence.fork()
    const speaking = reply(before, 65, { maxTokens: 60 })
    await sequence.save(state)
    const first = ids(await speaking)
    expect((await describeState(state)).parts.length).toBeGreaterThan(2)
    expect(ids(await reply(await sequence.fork(), 65, { maxTokens: 60 }))).toEqual(first)
    await engine.close()

    const again = await engineOn(file, { contextTokens: 16_384, sequences: 6 })
    const other = await again.sequence()
    await other.prefill(prompt(500, 3), { signal: calm })
    const said = ids(await reply(await other.fork(), 66, { maxTokens: 60 }))
    const restored = await again.sequence()
    const meanwhile = reply(await other.fork(), 66, { maxTokens: 60 })
    await expect(restored.load(state)).resolves.toEqual(prompt(length))
    expect(ids(await meanwhile)).toEqual(said)
    expect(restored.evaluated).toBe(length)
    const fork = await restored.fork()
    expect(ids(await reply(restored, 65, { maxTokens: 60 }))).toEqual(first)
    expect(ids(await reply(fork, 65, { maxTokens: 60 }))).toEqual(first)
    // What was loaded is the sequence's own: it is written out again the same, and it can be cut.
    await restored.rewind(length)
    const twice = join(folder, 'twice.state')
    await restored.save(twice)
    expect(await partsOf(twice)).toEqual(await partsOf(state))
    await restored.rewind(2000)
    expect([restored.length, restored.evaluated]).toEqual([2000, 2000])
  })

  test('that is damaged in its last part leaves nothing behind: no tokens, and no room taken', async () => {
    const { file } = makeModel('tiny-moe')
    const state = join(folder, 'parts.state')
    const engine = await engineOn(file, { contextTokens: 6144 })
    const sequence = await engine.sequence()
    await sequence.prefill(prompt(length), { signal: calm })
    await sequence.save(state)
    const first = ids(await reply(sequence, 65, { maxTokens: 20 }))
    await sequence.rewind(0)
    const damaged = join(folder, 'damaged.state')
    const bytes = readFileSync(state)
    const { parts } = await describeState(state)
    const inLast = blockBytes + parts.slice(0, -1).reduce((sum, size) => sum + inBlocks(size), 0) + 100
    bytes.writeUInt8(bytes.readUInt8(inLast) ^ 1, inLast)
    writeFileSync(damaged, bytes)
    for (let round = 0; round < 3; round++) {
      await expect(sequence.load(damaged)).rejects.toMatchObject({ kind: 'bad-state' })
      expect(sequence.evaluated).toBe(0)
    }
    await expect(sequence.load(state)).resolves.toHaveLength(length)
    expect(ids(await reply(sequence, 65, { maxTokens: 20 }))).toEqual(first)
  })
})

describe('a model that rewinds only to checkpoints', () => {
  test('never evaluates more than one interval again', async () => {
    const engine = await engineOn(makeModel('tiny-ds4').file, { contextTokens: 8192, sequences: 1 })
    const sequence = await engine.sequence()
    await sequence.prefill(prompt(5000), { signal: calm })
    for (const length of [4999, 4000, 3100, 1024, 1000]) {
      await sequence.rewind(length)
      expect(sequence.length).toBe(length)
      expect(length - sequence.evaluated).toBeLessThan(interval)
    }
    const said = ids(await reply(sequence, 65))
    const fresh = await engine.sequence().catch(() => undefined)
    expect(fresh).toBeUndefined()
    await sequence.rewind(0)
    expect(sequence.evaluated).toBe(0)
    await sequence.prefill(prompt(1000), { signal: calm })
    expect(ids(await reply(sequence, 65))).toEqual(said)
  })

  test('forgets the checkpoints of what was dropped: other words came in their place', async () => {
    const engine = await engineOn(makeModel('tiny-ds4').file, { sequences: 1 })
    const sequence = await engine.sequence()
    await sequence.prefill(prompt(500), { signal: calm, checkpoints: [200, 400] })
    await sequence.rewind(300)
    await sequence.prefill(prompt(100, 2), { signal: calm })
    const said = ids(await reply(sequence, 65, { maxTokens: 20 }))
    await sequence.prefill(prompt(30, 3), { signal: calm })
    await sequence.rewind(400)
    expect(ids(await reply(sequence, 65, { maxTokens: 20 }))).toEqual(said)
  })

  test('comes back to its last checkpoint when a batch is stopped', async () => {
    const engine = await engineOn(makeModel('tiny-ds4').file, { contextTokens: 16384, sequences: 1 })
    const sequence = await engine.sequence()
    const controller = new AbortController()
    const prefill = sequence.prefill(prompt(12_000), {
      signal: controller.signal,
      onProgress: (done) => {
        if (done >= 3000) setTimeout(() => controller.abort(), 5)
      },
    })
    await expect(prefill).rejects.toMatchObject({ kind: 'aborted' })
    expect(sequence.evaluated).toBeGreaterThan(3000 - interval)
    const kept = sequence.length
    await sequence.prefill(prompt(12_000).slice(kept, kept + 300), { signal: calm })
    const said = ids(await reply(sequence, 65, { maxTokens: 4 }))
    await sequence.rewind(0)
    await sequence.prefill(prompt(kept + 300), { signal: calm })
    expect(ids(await reply(sequence, 65, { maxTokens: 4 }))).toEqual(said)
  })

  test('keeps a long reply within reach, too', async () => {
    const engine = await engineOn(makeModel('tiny-ds4-copy').file, { sequences: 1 })
    const sequence = await engine.sequence()
    await sequence.prefill(prompt(10), { signal: calm })
    await reply(sequence, 65, { maxTokens: 2500 })
    await sequence.rewind(2400)
    expect(2400 - sequence.evaluated).toBeLessThan(interval)
  })
})

test('checkpoints stay within their bytes, and no gap becomes wider than the interval', () => {
  const state = new Uint8Array(1000)
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 300 }),
      fc.integer({ min: 6, max: 40 }),
      (steps, most) => {
        const tokens = 20_000
        const checkpoints = new Checkpoints(2, tokens, most * state.length)
        let length = 0
        for (const [i, step] of steps.entries()) {
          // Some are asked for, the others come when they are due.
          for (const to = length + step * 10; length < to; length++)
            if (length > 0 && length >= checkpoints.due(0)) checkpoints.add(0, { length, state })
          if (i % 3 === 0 && length < tokens && !checkpoints.has(0, length)) checkpoints.add(0, { length, state })
          if (length > tokens - 500) break
        }
        expect(checkpoints.bytes).toBeLessThanOrEqual(most * state.length)
        const lengths = [0, ...checkpoints.list(0).map((c) => c.length)]
        const gaps = lengths.slice(1).map((at, i) => at - (lengths[i] ?? 0))
        expect(Math.max(0, ...gaps)).toBeLessThanOrEqual(Math.max(checkpoints.interval, 1024))
      },
    ),
  )
})
