import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BatchCosts, CopyOdds, Drafts, Payoff } from '../../engine/host/drafts.ts'
import { TokenHistory } from '../../engine/host/history.ts'
import type { GenerateCounts, Sequence } from '../../engine/index.ts'
import { makeModel } from '../models/index.ts'
import { calm, closeEngines, engineOn, greedy, ids, prompt, reply } from './support.ts'

closeEngines()

async function counted(sequence: Sequence, last: number, options: Parameters<typeof reply>[2] = {}) {
  let counts: GenerateCounts | undefined
  const said = ids(await reply(sequence, last, { ...options, onEnd: (found) => (counts = found) }))
  if (!counts) throw new Error('the counts never came')
  return { said, ...counts }
}

describe('copy speculation on the engine', () => {
  test('a reply that repeats what is in the context: the same tokens, most of them drafted', async () => {
    const engine = await engineOn(makeModel('tiny-moe-copy').file)
    const sequence = await engine.sequence()
    await sequence.prefill(prompt(20), { signal: calm })
    const plain = await counted(sequence, 65, { maxTokens: 500, speculate: false })
    expect(plain).toMatchObject({ drafted: 0, accepted: 0 })
    await sequence.rewind(20)
    const drafted = await counted(sequence, 65, { maxTokens: 500 })
    expect(drafted.said).toEqual(plain.said)
    expect(drafted.said).toHaveLength(500)
    // How many depends on what batches cost on this machine just now.
    expect(drafted.accepted).toBeGreaterThan(30)
    expect(drafted.accepted).toBeLessThanOrEqual(drafted.drafted)
    // Every token but the last is in the cache, and nothing else.
    expect([sequence.length, sequence.evaluated]).toEqual([520, 520])
    const after = ids(await reply(sequence, drafted.said.at(-1)!))
    await sequence.rewind(20)
    await sequence.prefill([65, ...plain.said.slice(0, -1)], { signal: calm })
    expect(ids(await reply(sequence, plain.said.at(-1)!, { speculate: false }))).toEqual(after)
  })

  test('a text given as a hint is copied from, too', async () => {
    const { file, next } = makeModel('tiny-moe-copy')
    const engine = await engineOn(file)
    const sequence = await engine.sequence()
    const hints = [65]
    while (hints.length < 61) hints.push(next!(hints.at(-1)!))
    await sequence.prefill(hints.slice(0, 3), { signal: calm })
    const without = await counted(sequence, hints[3]!, { maxTokens: 50 })
    await sequence.rewind(3)
    const withHints = await counted(sequence, hints[3]!, { maxTokens: 50, hints })
    expect(withHints.said).toEqual(without.said)
    expect(withHints.accepted).toBeGreaterThan(without.accepted)
  })

  test('DeepSeek V4 drafts only where it can take tokens back, and says the same', async () => {
    const { file } = makeModel('tiny-ds4-copy')
    const said: number[][] = []
    for (const rollbackTokens of [0, 8]) {
      const engine = await engineOn(file, { rollbackTokens, sequences: 1 })
      const sequence = await engine.sequence()
      await sequence.prefill(prompt(20), { signal: calm })
      const found = await counted(sequence, 65, { maxTokens: 300 })
      if (rollbackTokens === 0) expect(found.drafted).toBe(0)
      else expect(found.accepted).toBeGreaterThan(10)
      said.push(found.said)
      await engine.close()
    }
    expect(said[1]).toEqual(said[0])
  })

  test('sampled text is the same with and without drafts', async () => {
    const engine = await engineOn(makeModel('tiny-moe').file)
    const sequence = await engine.sequence()
    const sampling = { ...greedy, temperature: 0.6, topK: 4, repeatPenalty: 1.1, seed: 5 }
    const all: number[][] = []
    for (const speculate of [false, true]) {
      await sequence.rewind(0)
      // Much is there to be drafted, and little of it holds.
      await sequence.prefill(prompt(400), { signal: calm })
      all.push((await counted(sequence, 65, { maxTokens: 120, sampling, speculate })).said)
    }
    expect(all[1]).toEqual(all[0])
  })

  test('ends inside a draft where the reply ends, and where its tokens are spent', async () => {
    const { file, vocabulary } = makeModel('tiny-moe-copy', { reply: ['abc\n\n', 'def', 'ghi', 'jkl', 'mno', 'pqr'] })
    const engine = await engineOn(file)
    const sequence = await engine.sequence()
    const newline = vocabulary.byte(10)
    const first = ids(await reply(sequence, newline, { maxTokens: 64 }))
    expect(first.at(-1)).toBe(vocabulary.eos)
    for (const maxTokens of [1, 3, 5, 64]) {
      await sequence.prefill([first.at(-1)!], { signal: calm })
      const before = sequence.length
      const again = ids(await reply(sequence, newline, { maxTokens, hints: [newline, ...first, 65, 66] }))
      expect(again).toEqual(first.slice(0, maxTokens))
      expect(sequence.evaluated).toBe(before + again.length)
    }
    await sequence.prefill([first.at(-1)!], { signal: calm })
    const stopped = await reply(sequence, newline, { maxTokens: 64, stopTokens: [first[2]!] })
    expect(ids(stopped)).toEqual(first.slice(0, 3))
    expect(stopped.at(-1)!.end).toBe(true)
  })
})

describe('sequences that work at once', () => {
  test('share batches and say what each would say alone', async () => {
    const { file, next } = makeModel('tiny-moe-copy')
    const engine = await engineOn(file, { sequences: 6 })
    const trunk = await engine.sequence()
    await trunk.prefill(prompt(100), { signal: calm })
    const forks: { last: number; fork: Sequence }[] = []
    for (const last of [65, 70, 75, 80, 85]) forks.push({ last, fork: await trunk.fork() })
    const replies = await Promise.all(
      forks.map(async ({ fork, last }, i) => ids(await reply(fork, last, { maxTokens: 30 + i }))),
    )
    for (const [i, { last }] of forks.entries()) {
      const expected: number[] = []
      for (let token = next!(last); expected.length < 30 + i; token = next!(token)) expected.push(token)
      expect(replies[i]).toEqual(expected)
    }
  })

  test.each(['tiny-moe-copy', 'tiny-ds4-copy'] as const)(
    'one that is stopped does not disturb the other (%s)',
    async (kind) => {
      const engine = await engineOn(makeModel(kind).file, { sequences: 2 })
      const [first, second] = [await engine.sequence(), await engine.sequence()]
      const controller = new AbortController()
      let seen = 0
      const stopped = async () => {
        for await (const _ of first.generate(65, { sampling: greedy, maxTokens: 2000, signal: controller.signal }))
          if (++seen === 20) controller.abort()
      }
      const [ended, whole] = await Promise.allSettled([stopped(), reply(second, 70, { maxTokens: 200 })])
      expect(ended).toMatchObject({ status: 'rejected', reason: { kind: 'aborted' } })
      expect(whole.status === 'fulfilled' && whole.value).toHaveLength(200)
      expect(ids(await reply(first, 66, { maxTokens: 3 }))).toHaveLength(3)
    },
  )
})

describe('TokenHistory', () => {
  test('finds the longest match after any adding and cutting', () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ add: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 12 }) }) },
      { weight: 1, arbitrary: fc.record({ cut: fc.integer({ min: 0, max: 20 }) }) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.integer({ min: 0, max: 3 }), (steps, last) => {
        const history = new TokenHistory()
        const all: number[] = []
        for (const action of steps) {
          if ('add' in action) {
            for (const token of action.add) {
              history.push(token)
              all.push(token)
            }
            // A search in between builds the chains that cutting has to undo.
            history.find(history.tail(last), 4)
          } else {
            all.length = Math.max(0, all.length - action.cut)
            history.cut(all.length)
          }
        }
        expect([...history.tokens()]).toEqual(all)
        const tail = [...all, last].slice(-32)
        const longest = all.reduce((most, _, at) => {
          let same = 0
          while (same <= at && same < tail.length && all[at - same] === tail[tail.length - 1 - same]) same++
          return at + 1 < all.length ? Math.max(most, same) : most
        }, 0)
        const found = history.find(history.tail(last), 4)
        // Only so many places are looked at.
        if (all.length < 60) expect(found?.match ?? 0).toBe(longest >= 3 ? longest : 0)
      }),
    )
  })
})

describe('Drafts', () => {
  /** A reply of which a share is copied, on a machine with these costs: time with drafts by time without. */
  function simulate(copied: number, costOf: (tokens: number) => number): number {
    const text = Array.from({ length: 600 }, (_, i) => (i * 7919) % 1009)
    const history = new TokenHistory()
    for (const token of text) history.push(token)
    const costs = new BatchCosts()
    const drafts = new Drafts(history, undefined, { costs, odds: new CopyOdds(), payoff: new Payoff() })
    const truth: number[] = []
    // Blocks of thirty: copied ones, and ones that begin like the text and go on in another way every few tokens.
    for (let block = 0; block < 20; block++)
      for (let i = 0; i < 30; i++)
        truth.push(block / 20 < copied || i % 4 < 3 ? (text[(block * 30 + i) % 600] ?? 0) : 2000 + block * 30 + i)
    let spent = 0
    let last = truth[0] ?? 0
    for (let at = 1; at < truth.length; ) {
      const draft = drafts.propose(last, Math.min(15, truth.length - at - 1), false)
      let held = 0
      while (held < draft.length && draft[held] === truth[at + held]) held++
      const said = truth.slice(at, at + held + 1)
      history.push(last)
      for (const token of said.slice(0, -1)) history.push(token)
      const cost = costOf(draft.length + 1)
      costs.observe(draft.length + 1, cost)
      spent += cost
      drafts.learn(draft.length, said)
      at += said.length
      last = said.at(-1) ?? 0
    }
    return (truth.length - 1) / (spent / costOf(1))
  }
  const twoCores = (tokens: number) =>
    [27.5, 52.7, 83, 134, 176, 214][[1, 2, 4, 8, 12, 16].findIndex((n) => n >= tokens)] ?? 0

  test('most of the bound where all is copied', () => expect(simulate(1, twoCores)).toBeGreaterThan(0.7 * (16 / 7.8)))
  test('never slower where nothing holds', () => expect(simulate(0, twoCores)).toBeGreaterThan(0.95))
  test('never slower where batches cost as much as their tokens', () =>
    expect(simulate(1, (tokens) => tokens * 1.02)).toBeGreaterThan(0.95))
  test('far more where batches cost nothing', () => expect(simulate(1, () => 10)).toBeGreaterThan(8))
})
