/** What holding calls to their grammar costs: replies that are calls, each with and without, in alternating windows. */
import { dialectByName, type Engine, type Grammar, openEngine, type Sequence } from '../../engine/index.ts'
import { allTools, toolSchema } from '../../tools/index.ts'
import { pairedRatio, spread } from './numbers.ts'

const signal = new AbortController().signal
const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }
const maxTokens = 160

const specs = allTools
  .filter(({ name }) => ['read', 'edit', 'write', 'shell'].includes(name))
  .map((tool) => ({ name: tool.name, description: tool.description, parameters: toolSchema(tool) }))

const asks = [
  'Write a file whale.py with a class Whale that has the methods dive, breathe, sing and swim, each with a docstring. Answer with one call of write.',
  'Tell a story of a whale and a lighthouse. Call no tool.',
]

/** Rows of `reply | free | held | ratio`; the aim is a ratio of 0.92 at least. */
export async function benchGrammar(model: string, rounds: number): Promise<string[]> {
  const engine = await openEngine({ file: model, contextTokens: 4096, gpuLayers: 0 })
  const rows = ['| reply | free | held to the grammar | ratio (median of pairs) | aim |', '|---|---|---|---|---|']
  try {
    const sequence = await engine.sequence()
    const calls = dialectByName('qwen').calls?.(specs)
    const grammar: Grammar | undefined = calls && { ...calls, folder: { path: process.cwd(), seen: [] } }
    for (const ask of asks) {
      const prompt = await promptOf(engine, ask)
      await sequence.rewind(0)
      await sequence.prefill(prompt.slice(0, -1), { signal })
      const [free, held]: [number[], number[]] = [[], []]
      for (let round = 0; round < rounds; round++) {
        for (const [speeds, rule] of [
          [free, undefined],
          [held, grammar],
        ] as const) {
          await sequence.rewind(prompt.length - 1)
          speeds.push(await speed(sequence, prompt.at(-1)!, rule))
        }
      }
      rows.push(
        `| ${ask.slice(0, 40)} … | ${spread(free, 'tok/s')} | ${spread(held, 'tok/s')} | ${pairedRatio(held, free).toFixed(3)} | ≥ 0.92 |`,
      )
    }
    return rows
  } finally {
    await engine.close()
  }
}

async function promptOf(engine: Engine, ask: string): Promise<number[]> {
  const dialect = dialectByName('qwen')
  const system = { role: 'system', text: 'You are a coding agent.', tools: specs } as const
  const user = { role: 'user', text: ask } as const
  const pieces = [...dialect.encode(system, undefined), ...dialect.encode(user, system), ...dialect.open(user)]
  const tokens: number[] = []
  for (const { text, control } of pieces) tokens.push(...(await engine.tokenize(text, { control })))
  return tokens
}

/** Tokens a second from the first on. Without drafts: they would hide what a token costs. */
async function speed(sequence: Sequence, last: number, grammar: Grammar | undefined): Promise<number> {
  let count = 0
  let first = 0
  for await (const _ of sequence.generate(last, { sampling, maxTokens, signal, grammar, speculate: false })) {
    if (count === 0) first = performance.now()
    count += 1
  }
  return ((count - 1) / (performance.now() - first)) * 1000
}
