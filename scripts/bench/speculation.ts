/** Copy speculation: a file rewritten with one change, and a text that copies nothing, each with and without drafts. */
import { type GenerateCounts, openEngine, type Sequence } from '../../engine/index.ts'
import { median } from '../eval/outcome.ts'
import { pairedRatio, spread } from './numbers.ts'

const signal = new AbortController().signal
const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }

/** 200 lines of code that are not all alike. */
const file = Array.from(
  { length: 25 },
  (_, i) => `export function step${i}(input: readonly number[]): number {
  const limit = ${3 + ((i * 7) % 11)}
  let total = ${i}
  for (const value of input.slice(0, limit)) {
    total += value * ${i + 2} - ${(i * i) % 17}
  }
  return total % ${1000 + i * 13}
}`,
).join('\n')

const ask = (request: string, opening: string) =>
  `<|im_start|>user\n${request}<|im_end|>\n<|im_start|>assistant\n${opening}`

const tasks = [
  {
    what: 'a file of 200 lines with one change',
    prompt: ask(
      `\`\`\`ts\n${file}\n\`\`\`\nRename \`step7\` to \`seventhStep\`. Give the complete file, nothing else changed.`,
      '```ts\n',
    ),
    tokens: 1200,
    aim: '≥ 70 % of the bound',
  },
  {
    what: 'a text that copies nothing',
    prompt: ask('Tell a story of a whale and a lighthouse.', ''),
    tokens: 200,
    aim: '≥ 0.95',
  },
]

interface Window {
  readonly perSecond: number
  readonly said: string
  readonly counts: GenerateCounts
}

export async function benchSpeculation(model: string, rounds: number): Promise<string[]> {
  const engine = await openEngine({ file: model, contextTokens: 8192, sequences: 1, gpuLayers: 0 })
  const rows = [
    '| reply | plain | with drafts | ratio (median of pairs) | drafted, held | bound here | of the bound | aim | same text |',
    '|---|---|---|---|---|---|---|---|---|',
  ]
  try {
    const sequence = await engine.sequence()
    for (const { what, prompt, tokens, aim } of tasks) {
      await sequence.rewind(0)
      const ids = await engine.tokenize(prompt, { control: true })
      await sequence.prefill(ids.slice(0, -1), { signal })
      const plain: Window[] = []
      const drafted: Window[] = []
      for (let round = 0; round < rounds; round++)
        for (const [windows, speculate] of [
          [plain, false],
          [drafted, true],
        ] as const) {
          await sequence.rewind(ids.length - 1)
          windows.push(await oneWindow(sequence, ids.at(-1)!, tokens, speculate))
        }
      const speeds = (windows: readonly Window[]) => windows.map(({ perSecond }) => perSecond)
      const same = drafted.every(({ said }, i) => said === plain[i]!.said)
      const { counts } = drafted.at(-1)!
      // A batch of 16: what the longest draft brings at best.
      const bound = median(drafted.map((window) => 16 / (window.counts.batchCosts.get(16) ?? 16)))
      const ratio = pairedRatio(speeds(drafted), speeds(plain))
      const share = counts.drafted === 0 ? '' : `${((100 * ratio) / bound).toFixed(0)} %`
      rows.push(
        `| ${what} | ${spread(speeds(plain), 'tok/s')} | ${spread(speeds(drafted), 'tok/s')} | ${ratio.toFixed(2)} | ${counts.drafted}, ${counts.accepted} | ${bound.toFixed(2)} | ${share} | ${aim} | ${same ? 'yes' : 'no'} |`,
      )
    }
    return rows
  } finally {
    await engine.close()
  }
}

async function oneWindow(sequence: Sequence, last: number, maxTokens: number, speculate: boolean): Promise<Window> {
  const tokens: number[] = []
  let counts: GenerateCounts | undefined
  let first = 0
  const onEnd = (found: GenerateCounts) => {
    counts = found
  }
  for await (const { token } of sequence.generate(last, { sampling, maxTokens, signal, speculate, onEnd })) {
    if (tokens.length === 0) first = performance.now()
    tokens.push(token)
  }
  if (!counts) throw new Error('the engine gave no counts')
  const seconds = (performance.now() - first) / 1000
  return { perSecond: (tokens.length - 1) / seconds, said: tokens.join(), counts }
}
