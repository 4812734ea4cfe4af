/** Candidates written at once on forks of one prefix, beside the same ones after each other, and this machine's bound. */
import { openEngine, type Sequence } from '../../engine/index.ts'
import { median } from '../eval/outcome.ts'
import { pairedRatio, spread } from './numbers.ts'

const signal = new AbortController().signal
const tokens = 128
const samplingOf = (seed: number) => ({ temperature: 0.7, topP: 0.95, topK: 40, minP: 0.05, repeatPenalty: 1, seed })

const file = `def words(text):
    """Counts the words of a text.

    >>> words('a b a')
    {'a': 2, 'b': 1}
    """
    counts = {}
    for word in text.split(' '):
        counts[word] = counts.get(word, 1) + 1
    return counts
`
const fenced = `words.py\n\`\`\`python\n${file}\`\`\``

/** What drafts can copy, and what they cannot. */
const prompts = [
  ['a file with one change', `${fenced}\n\nwords.py has a bug in one line. Find it and fix it.`],
  ['a text that copies nothing', 'Tell a story of a whale and a lighthouse.'],
] as const

export async function benchTries(model: string, rounds: number): Promise<string[]> {
  const rows = [
    '| replies | of | after each other | at once | gain (median of pairs) | bound here: N ÷ cost of a batch of N |',
    '|---|---|---|---|---|---|',
  ]
  const engine = await openEngine({ file: model, contextTokens: 8192, sequences: 10 })
  try {
    for (const [what, request] of prompts) {
      const prompt = `<|im_start|>user\n${request}<|im_end|>\n<|im_start|>assistant\n`
      const ids = await engine.tokenize(prompt, { control: true })
      const base = await engine.sequence()
      await base.prefill(ids.slice(0, -1), { signal })
      for (const count of [3, 8]) {
        const apart: number[] = []
        const atOnce: number[] = []
        const bounds: number[] = []
        const last = ids.at(-1)!
        for (let round = 0; round < rounds; round++) {
          apart.push(
            await seconds(base, count, async (forks) => {
              for (const [i, fork] of forks.entries()) await write(fork, last, i, bounds, count)
            }),
          )
          atOnce.push(
            await seconds(base, count, async (forks) => {
              await Promise.all(forks.map((fork, i) => write(fork, last, i, bounds, count)))
            }),
          )
        }
        const bound = bounds.length === 0 ? 'not measured' : median(bounds).toFixed(2)
        rows.push(
          `| ${count} | ${what} | ${spread(apart, 's')} | ${spread(atOnce, 's')} | ${pairedRatio(apart, atOnce).toFixed(2)} | ${bound} |`,
        )
      }
      await base.close()
    }
    return rows
  } finally {
    await engine.close()
  }
}

async function seconds(
  base: Sequence,
  count: number,
  work: (forks: readonly Sequence[]) => Promise<void>,
): Promise<number> {
  const forks: Sequence[] = []
  while (forks.length < count) forks.push(await base.fork())
  try {
    const began = performance.now()
    await work(forks)
    return (performance.now() - began) / 1000
  } finally {
    for (const fork of forks) await fork.close()
  }
}

async function write(fork: Sequence, last: number, seed: number, bounds: number[], count: number): Promise<void> {
  const sampling = samplingOf(seed + 1)
  const reply = fork.generate(last, {
    sampling,
    maxTokens: tokens,
    signal,
    onEnd: ({ batchCosts }) => {
      const cost = batchCosts.get(count === 3 ? 4 : count)
      if (cost !== undefined) bounds.push((count === 3 ? 4 : count) / cost)
    },
  })
  for await (const _ of reply);
}
