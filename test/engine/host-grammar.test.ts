import { describe, expect, test } from 'vitest'
import { makeModel } from '../models/index.ts'
import { calm, closeEngines, engineOn, greedy, ids, prompt, reply, theHost, words } from './support.ts'

closeEngines()

const yesOrNo = 'root ::= ("yes" | "no") " " [0-9]+ "."'

async function sequenceOn(kind: 'tiny-moe' | 'tiny-moe-copy' | 'tiny-ds4', length = 50) {
  const engine = await engineOn(makeModel(kind).file)
  const sequence = await engine.sequence()
  await sequence.prefill(prompt(length), { signal: calm })
  return sequence
}

describe('a grammar', () => {
  test.each(['tiny-moe', 'tiny-ds4'] as const)('nothing else is said, and then the turn ends (%s)', async (kind) => {
    const sequence = await sequenceOn(kind)
    for (const seed of [1, 2, 3, 4]) {
      const sampling = { ...greedy, temperature: seed % 2, topK: 40, repeatPenalty: seed > 2 ? 1.2 : 1, seed }
      const said = await reply(sequence, 65, { grammar: { gbnf: yesOrNo }, sampling, maxTokens: 60 })
      expect(words(said)).toMatch(said.at(-1)!.end ? /^(yes|no) \d+\.$/ : /^(yes|no) \d+$/)
      await sequence.rewind(50)
    }
  })

  test('drafts go through it, too', async () => {
    const sequence = await sequenceOn('tiny-moe')
    const grammar = { gbnf: 'root ::= "let x = let x = let x = let x = let x = 1"' }
    const plain = await reply(sequence, 65, { grammar, maxTokens: 100, speculate: false })
    await sequence.rewind(50)
    const hints = ids(plain)
    expect(ids(await reply(sequence, 65, { grammar, maxTokens: 100, hints }))).toEqual(ids(plain))
    expect(words(plain)).toBe('let x = let x = let x = let x = let x = 1')
    expect(plain.at(-1)!.end).toBe(true)
  })

  test('that waits for its trigger lets everything pass until then', async () => {
    const pieces = ['Well:\n', '```', 'json\n', '{"a"', ': nonsense', '\n```']
    const { file, vocabulary } = makeModel('tiny-moe-copy', { reply: pieces })
    const engine = await engineOn(file)
    const sequence = await engine.sequence()
    const newline = vocabulary.byte(10)
    const free = await reply(sequence, newline, { maxTokens: 64 })
    expect(words(free)).toBe(pieces.join(''))
    await sequence.rewind(0)
    const gbnf = 'root ::= "```json\\n" "[" [0-9] "]" "\\n```"'
    const held = await reply(sequence, newline, { grammar: { gbnf, triggers: { texts: ['```json'] } }, maxTokens: 64 })
    expect(words(held)).toMatch(/^Well:\n```json\n\[\d\]\n```$/)
    expect(held.at(-1)!.end).toBe(true)
    await sequence.rewind(0)
    const tokens = [ids(free)[1]!]
    const byToken = await reply(sequence, newline, { grammar: { gbnf, triggers: { tokens } }, maxTokens: 64 })
    expect(words(byToken)).toMatch(/^Well:\n```json\n\[\d\]\n```$/)
    await sequence.rewind(0)
    const never = await reply(sequence, newline, {
      grammar: { gbnf, triggers: { texts: ['.*+(never'] } },
      maxTokens: 64,
    })
    expect(words(never)).toBe(pieces.join(''))
  })

  test('that cannot be read is refused, and the host lives on', async () => {
    const sequence = await sequenceOn('tiny-moe')
    const pid = theHost()
    for (const gbnf of ['', 'root ::= missing', 'root ::= root "a"', 'root := "a"', 'other ::= "a"'])
      await expect(reply(sequence, 65, { grammar: { gbnf } }), gbnf).rejects.toMatchObject({ kind: 'misuse' })
    expect(await reply(sequence, 65)).not.toEqual([])
    expect(theHost()).toBe(pid)
  })
})
