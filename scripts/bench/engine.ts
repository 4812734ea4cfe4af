/** Prefill and decode through our whole stack (host process, IPC, client) beside llama-bench, in alternating windows. */
import { availableParallelism } from 'node:os'
import { openEngine } from '../../engine/index.ts'
import { buildLlamaBench, runLlamaBench } from './llama-bench.ts'
import { pairedRatio, spread } from './numbers.ts'

const promptTokens = 512
const generateTokens = 96

/** Ordinary code as prompt text: enough of it for `promptTokens` tokens of any vocabulary. */
const text = Array.from({ length: 200 }, (_, i) => `export const value${i} = compute(${i * 7}, "name ${i}")\n`).join('')

/** One row a thread count; `rounds` pairs of windows each. */
export async function benchEngine(model: string, rounds: number): Promise<string[]> {
  const program = await buildLlamaBench()
  const rows = ['| threads | what | ours | llama-bench | ratio (median of pairs) | aim |', '|---|---|---|---|---|---|']
  for (const threads of [1, 2].filter((n) => n <= availableParallelism())) {
    const ours = { prefill: [] as number[], decode: [] as number[] }
    const theirs = { prefill: [] as number[], decode: [] as number[] }
    for (let round = 0; round < rounds; round++) {
      // One side's weights at a time, each side fresh: neither finds the other's pages or threads in its way.
      const window = await oneWindow(model, threads)
      ours.prefill.push(window.prefill)
      ours.decode.push(window.decode)
      const other = await runLlamaBench(program, model, threads, promptTokens, generateTokens)
      theirs.prefill.push(other.prefill)
      theirs.decode.push(other.decode)
    }
    for (const what of ['prefill', 'decode'] as const) {
      rows.push(
        `| ${threads} | ${what} | ${spread(ours[what], 'tok/s')} | ${spread(theirs[what], 'tok/s')} | ${pairedRatio(ours[what], theirs[what]).toFixed(3)} | ≥ 0.97 |`,
      )
    }
  }
  return rows
}

async function oneWindow(file: string, threads: number): Promise<{ prefill: number; decode: number }> {
  const engine = await openEngine({ file, contextTokens: 2048, threads, gpuLayers: 0 })
  try {
    const signal = new AbortController().signal
    const tokens = (await engine.tokenize(text, { control: false })).slice(0, promptTokens)
    const sequence = await engine.sequence()
    // Warm, with the whole prompt as llama-bench does: the first pass reads the weights and touches every buffer.
    await sequence.prefill(tokens, { signal })
    await sequence.rewind(0)

    const began = performance.now()
    await sequence.prefill(tokens, { signal })
    const read = performance.now()

    const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }
    let generated = 0
    let first = 0
    // llama-bench, too, lets the model speak before it counts.
    await sequence.rewind(1)
    for await (const _ of sequence.generate(tokens[1]!, { sampling, maxTokens: 16, signal }));
    await sequence.rewind(1)
    for await (const _ of sequence.generate(tokens[1]!, { sampling, maxTokens: generateTokens + 1, signal })) {
      if (generated === 0) first = performance.now()
      generated++
    }
    const ended = performance.now()
    return { prefill: (tokens.length / (read - began)) * 1000, decode: ((generated - 1) / (ended - first)) * 1000 }
  } finally {
    await engine.close()
  }
}
