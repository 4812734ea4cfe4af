import { describe, expect, test } from 'vitest'
import type { GenerateCounts, GenerateOptions, Grammar } from '../../engine/index.ts'
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

  /** A sequence before the newline that makes its model say the pieces. */
  async function speaker(pieces: readonly string[]) {
    const { file, vocabulary } = makeModel('tiny-moe-copy', { reply: pieces })
    const sequence = await (await engineOn(file)).sequence()
    return async (grammar: Grammar | undefined, options: Partial<GenerateOptions> = {}) => {
      await sequence.rewind(0)
      const counts: GenerateCounts[] = []
      const onEnd = (found: GenerateCounts) => void counts.push(found)
      const said = await reply(sequence, vocabulary.byte(10), { grammar, maxTokens: 64, onEnd, ...options })
      return { text: words(said), end: said.at(-1)?.end, problem: counts[0]?.grammarProblem }
    }
  }

  const json = 'list ::= "\\n[" [0-9] "]" "\\n```"'
  const fence = [{ after: '```json', root: 'list' }]

  test('that waits for its trigger holds from there to its own end, again and again', async () => {
    const pieces = ['Well:\n', '```', 'json\n', '{"a"', ': nonsense', '\n```', ' then ```', 'json', '!?', '?!']
    const say = await speaker(pieces)
    expect((await say(undefined)).text).toBe(pieces.join(''))
    for (const sampling of [greedy, { ...greedy, temperature: 0.1, repeatPenalty: 1.1 }]) {
      // What the grammar puts in the place of the model's words leads it elsewhere, but both fences are whole.
      const held = await say({ gbnf: json, triggers: fence }, { sampling })
      expect(held.text).toMatch(/^Well:\n```json\n\[\d\]\n```/)
      expect(held.problem).toBeUndefined()
    }
    const last = await say({ gbnf: json, triggers: [{ after: '```json', root: 'list', last: true }] })
    expect(last.text).toMatch(/^Well:\n```json\n\[\d\]\n```$/)
    expect(last.end).toBe(true)
    const never = await say({ gbnf: json, triggers: [{ after: '(?<!Well:\\n)```json', root: 'list' }] })
    expect(never.text.startsWith('Well:\n```json\n{"a": nonsense\n``` then ```json\n[')).toBe(true)
  })

  test('a token that goes on beyond the trigger is cut where the grammar refuses its rest', async () => {
    const say = await speaker(['Now ', '<call>{bad', ' more', ' words'])
    const { text } = await say({ gbnf: 'call ::= "[" [0-9] "]"', triggers: [{ after: '<call>', root: 'call' }] })
    expect(text).toMatch(/^Now <call>\[\d\]/)
    // And stays whole where the grammar goes on the same way.
    const kept = await say({ gbnf: 'call ::= "{bad" " "* [0-9]', triggers: [{ after: '<call>', root: 'call' }] })
    expect(kept.text).toMatch(/^Now <call>\{bad *\d/)
  })

  test('with triggers, one that cannot be read leaves the reply as it is and is told', async () => {
    const pieces = ['Go ', '<call>', 'so', '!!']
    const say = await speaker(pieces)
    for (const gbnf of ['', 'call ::= missing', 'call := "a"', 'other ::= "a"']) {
      const { text, end, problem } = await say({ gbnf, triggers: [{ after: '<call>', root: 'call' }] })
      expect([text, end], gbnf).toEqual([pieces.join(''), true])
      expect(problem, gbnf).toBe('the grammar cannot be read from its rule call')
    }
    const closed = await say({ gbnf: 'call ::= "\\xff\\xfe"', triggers: [{ after: '<call>', root: 'call' }] })
    expect(closed.end === true || closed.text !== '').toBe(true)
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
