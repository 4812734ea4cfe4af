/** How long it takes to branch, to stop, and to put a long context away and get it back, beside the disk's own speed. */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Engine, openEngine, type Sequence } from '../../engine/index.ts'
import { median } from '../eval/outcome.ts'
import { forget, rawReadSeconds, rawWriteSeconds } from './disk.ts'
import { pairedRatio, spread } from './numbers.ts'

const calm = new AbortController().signal

export async function benchState(file: string, tokens: number, rounds: number): Promise<string[]> {
  const engine = await openEngine({ file, contextTokens: tokens + 1024, sequences: 2, gpuLayers: 0 })
  const folder = mkdtempSync(join(tmpdir(), 'cachalot-bench-state-'))
  try {
    const sequence = await engine.sequence()
    await sequence.prefill(await someTokens(engine, tokens), { signal: calm })
    const fork: number[] = []
    const save: number[] = []
    const load: number[] = []
    const raw = { write: [] as number[], read: [] as number[] }
    const state = join(folder, 'state')
    for (let round = 0; round < rounds; round++) {
      let began = performance.now()
      const branch = await sequence.fork()
      fork.push(performance.now() - began)
      began = performance.now()
      await sequence.save(state)
      const { size } = statSync(state)
      save.push(size / (performance.now() - began) / 1e6)
      raw.write.push(size / rawWriteSeconds(join(folder, 'raw'), size) / 1e9)
      raw.read.push(size / rawReadSeconds(join(folder, 'raw')) / 1e9)
      // Both would need room for all of it once more.
      await branch.close()
      forget(state)
      began = performance.now()
      await sequence.load(state)
      load.push(size / (performance.now() - began) / 1e6)
    }
    const abort: number[] = []
    const free: number[] = []
    for (let round = 0; round < rounds; round++) {
      const { told, next } = await abortOnce(engine, sequence)
      abort.push(told)
      free.push(next)
    }
    const mb = (statSync(state).size / 1e6).toFixed(0)
    const beside = (ours: readonly number[], disk: readonly number[]) =>
      `${(100 * pairedRatio(ours, disk)).toFixed(0)} % of the disk's ${median(disk).toFixed(2)} GB/s`
    return [
      '| what | measured | beside | bound |',
      '|---|---|---|---|',
      `| fork of ${tokens} tokens | ${spread(fork, 'ms')} | | ≤ 5 ms |`,
      `| abort inside a batch | ${spread(abort, 'ms')} | | ≤ 50 ms |`,
      `| from there until the engine does the next thing | ${spread(free, 'ms')} | | |`,
      `| save, ${mb} MB | ${spread(save, 'GB/s', 2)} | ${beside(save, raw.write)} | ≥ 80 % |`,
      `| load, from the disk | ${spread(load, 'GB/s', 2)} | ${beside(load, raw.read)} | ≥ 80 % |`,
    ]
  } finally {
    await engine.close()
    rmSync(folder, { recursive: true })
  }
}

async function someTokens(engine: Engine, count: number): Promise<number[]> {
  const line = 'export const value = compute(7, "name")\n'
  const tokens = await engine.tokenize(line.repeat(Math.ceil(count / 8)), { control: false })
  return tokens.slice(0, count)
}

/** Milliseconds from the abort to its answer, and to the end of what was asked for next. */
async function abortOnce(engine: Engine, sequence: Sequence): Promise<{ told: number; next: number }> {
  const length = sequence.length
  const controller = new AbortController()
  const work = sequence
    .prefill(await someTokens(engine, 512), { signal: controller.signal })
    .catch(() => undefined /* stopped, as we asked */)
  await new Promise((resolve) => setTimeout(resolve, 200))
  const began = performance.now()
  controller.abort()
  await work
  const told = performance.now() - began
  await sequence.rewind(length)
  return { told, next: performance.now() - began }
}
