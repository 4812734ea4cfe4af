import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Batch } from '../../engine/host/batch.ts'
import { Prefill } from '../../engine/host/prefill.ts'

const calm = new AbortController().signal

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

interface Machine {
  /** What becomes of the batches, one after the other; of the rest 0. */
  readonly answers?: (number | 'crowded')[]
  readonly givesWay?: boolean
  readonly speakers?: number
  readonly rewind?: 'free' | 'checkpoint'
  readonly tokenMs?: number
  /** A batch ends only when this does. */
  readonly held?: Promise<void>
}

/** A prefill on a cache of our own that keeps only what was evaluated whole. */
function prefill({
  answers = [],
  givesWay = false,
  speakers = 0,
  rewind = 'free',
  tokenMs = 4,
  held: ends,
}: Machine = {}) {
  const held: number[] = []
  const batches: { size: number; patience: number }[] = []
  let cleaned = 0
  const settled: number[] = []
  const work = new Prefill({
    decoder: {
      givesWay,
      async batch(fill, _signal, patience) {
        let size = 0
        fill({ add: () => size++ } as unknown as Batch)
        batches.push({ size, patience })
        vi.advanceTimersByTime(size * tokenMs)
        await ends
        return answers.shift() ?? 0
      },
    },
    slots: {
      length: () => held.length,
      due: () => Number.POSITIVE_INFINITY,
      grown: (_slot, tokens) => held.push(...tokens),
      clean: async () => {
        cleaned++
      },
      checkpoint: async () => undefined,
    },
    rewind,
    speakers: () => speakers,
    inTurn: (turn) => turn(),
    async settle(_slots, code) {
      settled.push(code)
      if (code !== 0) throw new Error(`code ${code}`)
    },
  })
  const told: number[] = []
  const tokens = Int32Array.from({ length: 600 }, (_, i) => i)
  return {
    ...{ held, batches, told, tokens, settled },
    cleaned: () => cleaned,
    take: (signal = calm) => work.take(0, tokens, { checkpoints: [], signal, onProgress: (done) => told.push(done) }),
  }
}

describe('a batch whose core somebody else took', () => {
  test('is taken off and begun again, once; each token is evaluated once and none is left out', async () => {
    const { held, batches, told, tokens, cleaned, take } = prefill({ answers: [0, 'crowded'] })
    await take()
    expect(held).toEqual([...tokens])
    expect(cleaned()).toBe(1)
    expect(told.at(-1)).toBe(600)
    expect(told).toEqual(told.toSorted((a, b) => a - b))
    const [, first, second] = batches
    expect(first?.patience).toBeGreaterThan(0)
    // Somebody who comes and goes would else keep it from ever ending.
    expect(second?.patience).toBe(0)
  })

  test('is begun again as often as seconds have passed since the last one', async () => {
    const { held, batches, tokens, take } = prefill({ answers: ['crowded', 0, 0, 'crowded'], tokenMs: 50 })
    await take()
    expect(held).toEqual([...tokens])
    expect(batches.slice(0, 5).map(({ size, patience }) => [size, patience > 0])).toEqual([
      [128, true],
      [64, false],
      [64, false],
      [64, true],
      [64, false],
    ])
  })

  test('goes on where a cut is dear', async () => {
    const { batches, take } = prefill({ rewind: 'checkpoint' })
    await take()
    // None of them is long, as none can be stopped.
    expect(batches.map(({ size }) => size)).toEqual([64, 128, 128, 128, 128, 24])
    expect(batches.every(({ patience }) => patience === 0)).toBe(true)
  })
})

test('batches are shorter beside others, so that a core which is free again is taken up sooner, and a reply waits less', async () => {
  const sizes = async (machine: Machine) => {
    const { batches, take } = prefill(machine)
    await take()
    return batches.map(({ size }) => size)
  }
  // The first one is of a speed that is guessed.
  expect(await sizes({ tokenMs: 4 })).toEqual([128, 472])
  expect(await sizes({ tokenMs: 10 })).toEqual([128, 192, 192, 88])
  expect((await sizes({ givesWay: true, tokenMs: 10 })).slice(0, 4)).toEqual([32, 64, 64, 64])
  expect((await sizes({ givesWay: true, tokenMs: 50 })).slice(0, 4)).toEqual([32, 32, 32, 32])
  expect((await sizes({ speakers: 1, tokenMs: 4 })).slice(0, 3)).toEqual([64, 128, 128])
})

test.each([0, 2])(
  'a stop is answered before the library has heard of it, and nothing of the batch stays (code %i)',
  async (code) => {
    const batch = Promise.withResolvers<void>()
    const { held, told, settled, take } = prefill({ answers: [code], held: batch.promise })
    const controller = new AbortController()
    const work = take(controller.signal)
    await new Promise((next) => setImmediate(next))
    controller.abort()
    await expect(work).rejects.toMatchObject({ kind: 'aborted' })
    expect(settled).toEqual([])
    batch.resolve()
    await new Promise((next) => setImmediate(next))
    // Settled as a stopped one, whatever it came to.
    expect(settled).toEqual([2])
    expect(held).toEqual([])
    expect(told).toEqual([])
  },
)

test('where only a checkpoint can be come back to, a batch is waited for and stays', async () => {
  const batch = Promise.withResolvers<void>()
  const { held, take } = prefill({ held: batch.promise, rewind: 'checkpoint' })
  const controller = new AbortController()
  let over = false
  const work = take(controller.signal).finally(() => {
    over = true
  })
  await new Promise((next) => setImmediate(next))
  controller.abort()
  await new Promise((next) => setImmediate(next))
  expect(over).toBe(false)
  batch.resolve()
  await work
  expect(held.length).toBeGreaterThan(0)
})
