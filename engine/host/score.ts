/** Reads tokens that stand already, and tells what the model would have said in the place of each. */
import { EngineError } from '../engine.ts'
import type { Context } from './context.ts'
import type { Answers, ScoreRequest } from './protocol.ts'
import { logSum } from './sampler.ts'

/** Below this probability (natural logarithm) a token is none that the model would say. */
const leastLogprob = -9

/**
 * Evaluates all tokens but the final one, with logits for each; those evaluated stay in the sequence. They are asked for in
 * the largest batches that have logits, which cost about twice as much a token as reading does.
 */
export async function score(
  context: Context,
  { slot, tokens, most }: ScoreRequest,
  signal: AbortSignal,
): Promise<Omit<Answers['score'], 'length'>> {
  const { vocabulary } = context.model
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true })
  for (const token of tokens)
    if (!vocabulary.has(token)) throw new EngineError('misuse', `${token} is not a token of this model`)
  const textOf = (token: number): string | undefined => {
    if (vocabulary.isEnd(token) || vocabulary.isControl(token)) return undefined
    try {
      return decoder.decode(vocabulary.piece(token))
    } catch {
      return undefined // Part of a character: it says nothing by itself.
    }
  }
  const list = Array.from(tokens)
  const logprobs = new Float32Array(list.length)
  const alternatives: Answers['score']['alternatives'][number][] = []
  for (let from = 0; from < list.length - 1; ) {
    const piece = list.slice(from, Math.min(from + context.mostDrafted + 1, list.length - 1))
    await context.step(slot, piece, signal, (logits, place) => {
      for (let i = 0; i < piece.length; i++) {
        const values = logits.read(place + i)
        const sum = logSum(values)
        logprobs[from + i + 1] = (values[list[from + i + 1] ?? 0] ?? 0) - sum
        for (const token of highest(values, most)) {
          const logprob = (values[token] ?? 0) - sum
          if (token === list[from + i + 1] || logprob < leastLogprob) continue
          const text = textOf(token)
          if (text !== undefined) alternatives.push({ at: from + i + 1, token, text, logprob })
        }
      }
      return piece.length
    })
    from += piece.length
  }
  const bytes = Int32Array.from(list, (token) => vocabulary.piece(token).length)
  return { alternatives, bytes, logprobs }
}

/** Places of the largest values, largest first. */
function highest(values: Float32Array, most: number): number[] {
  const best: number[] = []
  if (most === 0) return best
  const valueAt = (rank: number): number => values[best[rank] ?? -1] ?? Number.NEGATIVE_INFINITY
  let bar = Number.NEGATIVE_INFINITY
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NEGATIVE_INFINITY
    if (value <= bar) continue
    let rank = best.length
    while (rank > 0 && valueAt(rank - 1) < value) rank--
    best.splice(rank, 0, i)
    if (best.length > most) best.pop()
    if (best.length === most) bar = valueAt(most - 1)
  }
  return best
}
