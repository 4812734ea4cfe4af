/** Copy speculation must not change a word: replies with and without drafts, token by token. */
import { describe, expect, test } from 'vitest'
import { BatchCosts, CopyOdds, Drafts, Payoff } from '../../engine/host/drafts.ts'
import { TokenHistory } from '../../engine/host/history.ts'
import { lead } from '../../engine/host/likely.ts'
import type { GenerateCounts } from '../../engine/index.ts'
import { makeModel } from '../models/index.ts'
import { calm, closeEngines, engineOn, greedy, ids, prompt, reply } from './support.ts'

closeEngines()

describe('a reply that was told in advance', () => {
  // Weights by chance: many picks are near ties, so that drafted rows are written again.
  test.each([
    ['tiny-moe', { ...greedy }],
    ['tiny-moe', { ...greedy, temperature: 0.7, topK: 20, seed: 3 }],
    ['tiny-moe', { ...greedy, temperature: 1, repeatPenalty: 1.1, seed: 4 }],
    ['tiny-ds4', { ...greedy }],
  ] as const)('%s, %o', async (kind, sampling) => {
    const engine = await engineOn(makeModel(kind).file, { rollbackTokens: kind === 'tiny-ds4' ? 8 : 0, sequences: 1 })
    const sequence = await engine.sequence()
    const text = prompt(60)
    await sequence.prefill(text, { signal: calm })
    const plain = ids(await reply(sequence, 65, { maxTokens: 120, sampling, speculate: false }))
    await sequence.rewind(60)
    let drafted = 0
    const again = ids(
      await reply(sequence, 65, {
        maxTokens: 120,
        sampling,
        hints: [...text, 65, ...plain],
        onEnd: (counts) => (drafted = counts.drafted),
      }),
    )
    expect(again).toEqual(plain)
    expect(drafted).toBeGreaterThan(0)
    expect([sequence.length, sequence.evaluated]).toEqual([60 + plain.length, 60 + plain.length])
  })
})

describe('DeepSeek V4, whose window lies otherwise when a checkpoint was put back', () => {
  // Beyond the 256 cells of its window, and a reply that comes through two of the places that it is put in order at.
  test.each([
    [700, 3, 200],
    [100, 3, 560],
  ])('%i tokens, seed %i: %i tokens are the same', { timeout: 60_000 }, async (length, seed, maxTokens) => {
    const engine = await engineOn(makeModel('tiny-ds4').file, { rollbackTokens: 4, sequences: 1 })
    const sequence = await engine.sequence()
    const text = prompt(length, seed)
    await sequence.prefill(text, { signal: calm })
    await sequence.checkpoint()
    const plain = ids(await reply(sequence, 65, { maxTokens, speculate: false }))
    await sequence.rewind(length)
    let drafted = 0
    const onEnd = (counts: GenerateCounts) => {
      drafted = counts.drafted
    }
    const again = ids(await reply(sequence, 65, { maxTokens, hints: [...text, 65, ...plain], onEnd }))
    expect(again).toEqual(plain)
    expect(drafted).toBeGreaterThan(0)
    expect(sequence.evaluated).toBe(length + plain.length)
  })
})

test('how far the first is ahead', () => {
  expect(lead(Float32Array.of(1, 5, 3))).toEqual({ token: 1, by: 2 })
  expect(lead(Float32Array.of(5, 5))).toEqual({ token: 0, by: 0 })
  expect(lead(Float32Array.of(2))).toEqual({ token: 0, by: Number.POSITIVE_INFINITY })
})

describe('drafts', () => {
  const learned = () => ({ costs: new BatchCosts(), odds: new CopyOdds(), payoff: new Payoff() })
  const history = (tokens: readonly number[]) => {
    const made = new TokenHistory()
    for (const token of tokens) made.push(token)
    return made
  }
  const copied = (tokens: number) => Array.from({ length: tokens }, (_, i) => i)

  test('a phrase that comes twice begins none, and goes on with one that was begun', () => {
    const drafts = new Drafts(history([...copied(40), ...copied(10)]), undefined, learned())
    expect(drafts.propose(10, 15, true)).toEqual([])
    expect(drafts.propose(10, 15, false)).not.toEqual([])
    expect(new Drafts(history([...copied(40), ...copied(30)]), undefined, learned()).propose(30, 15, true)).not.toEqual(
      [],
    )
  })

  test('end where what they leave has to be written again, and are tried again later', () => {
    const shared = learned()
    const drafts = new Drafts(history([...copied(40), ...copied(30)]), undefined, shared)
    drafts.rewritten(100)
    expect(drafts.propose(30, 15, true)).toEqual([])
    for (let token = 0; token < 2000; token++) drafts.learn(0, [token])
    expect(drafts.propose(30, 15, true)).not.toEqual([])
  })
})

const real = process.env['CACHALOT_REAL_MODEL']
const code = `function mean(values) {
  let sum = 0
  for (const value of values) sum += value
  return sum / values.length
}

function spread(values) {
  const middle = mean(values)
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)))
}
`
const asked = [
  'Tell a story of a whale and a lighthouse.',
  'Write a dialogue of a donkey and a fox.',
  'Explain what a hash table is, with an example.',
  'List five good habits of programmers, and why.',
  'Give a JSON array of six countries with name and capital.',
  'Write a bash script that keeps the last seven backups of a folder.',
  `${code}\nRename spread to deviation. Give the complete code.`,
  `${code}\nAdd a comment above each function. Give the complete code, then explain it.`,
  `${code}\nLet mean return 0 for no values. Give the complete code.`,
  `${code}\nExplain this code line by line, quoting it.`,
  `${code}\nWrite tests for it.`,
  `${code}\nGive the code again, word for word, twice.`,
]
describe.runIf(real !== undefined)('a real model', () => {
  test.each([0, 0.7])('says the same with drafts, temperature %d', { timeout: 600_000 }, async (temperature) => {
    const engine = await engineOn(real ?? '', { threads: 2 })
    const sequence = await engine.sequence()
    const sampling = { ...greedy, temperature, topK: temperature > 0 ? 20 : 0, seed: 9 }
    let drafted = 0
    for (const request of temperature > 0 ? asked.slice(-4) : asked) {
      const text = `<|im_start|>user\n${request}<|im_end|>\n<|im_start|>assistant\n`
      const start = await engine.tokenize(text, { control: true })
      await sequence.rewind(0)
      await sequence.prefill(start.slice(0, -1), { signal: calm })
      const options = { maxTokens: 56, sampling, onEnd: (counts: { drafted: number }) => (drafted += counts.drafted) }
      const plain = ids(await reply(sequence, start.at(-1)!, { ...options, speculate: false }))
      await sequence.rewind(start.length - 1)
      expect(ids(await reply(sequence, start.at(-1)!, options)), request).toEqual(plain)
    }
    expect(drafted).toBeGreaterThan(0)
  })
})
