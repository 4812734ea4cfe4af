/**
 * Copy models: their next token is known in advance. The output row of token j is the embedding of the token before j,
 * and attention and experts add next to nothing, so after token t the model always says `next(t)`, sure of itself.
 */
import type { Tensor } from './gguf.ts'
import { random } from './gguf.ts'
import type { Vocabulary } from './vocabulary.ts'

/** Tokens go round in blocks of this many ids, where no reply says otherwise. */
const cycle = 61

export interface Succession {
  next(token: number): number
  /** The token that comes before `token`, or undefined where nothing leads to it. */
  before(token: number): number | undefined
}

/**
 * Who follows whom. Plain: t → t+1 within blocks of 61 ids. With a reply of n pieces (the last n tokens of the
 * vocabulary): newline → piece 1 → … → piece n → end of turn, so that a prompt that ends in a newline, as ChatML's
 * opening of the assistant's turn does, is answered with exactly that reply.
 */
export function succession(vocabulary: Vocabulary, replyPieces: number): Succession {
  const size = vocabulary.tokens.length
  const next = Int32Array.from({ length: size }, (_, t) => {
    const block = Math.floor(t / cycle) * cycle
    return block + ((t - block + 1) % Math.min(cycle, size - block))
  })
  if (replyPieces > 0) {
    const first = size - replyPieces
    next[vocabulary.byte(10)] = first
    for (let t = first; t < size - 1; t++) next[t] = t + 1
    next[size - 1] = vocabulary.eos
  }
  const before = new Map<number, number>()
  next.forEach((to, from) => {
    // Where two lead to the same token, the reply's way wins: a row can hold only one embedding.
    if (!before.has(to) || from >= size - replyPieces || from === vocabulary.byte(10)) before.set(to, from)
  })
  return { next: (token) => next[token] ?? 0, before: (token) => before.get(token) }
}

/** The tensors of a model, changed so that it follows the succession. */
export function asCopy(tensors: readonly Tensor[], width: number, { before }: Succession): Tensor[] {
  const draw = random(7)
  const rows: Float32Array[] = []
  const row = (token: number): Float32Array => {
    while (rows.length <= token)
      rows.push(Float32Array.from({ length: width }, () => (draw() < 0.5 ? -1 : 1) * (0.5 + draw() * 0.5)))
    return rows[token] ?? new Float32Array(width)
  }
  const quiet = /attn_output(_b)?\.weight|ffn_down_(exps|shexp)\.weight/
  return tensors.map((t) => {
    if (t.name === 'token_embd.weight') return { ...t, fill: (i) => row(Math.floor(i / width))[i % width] ?? 0 }
    if (t.name === 'output.weight')
      return {
        ...t,
        fill: (i) => {
          const from = before(Math.floor(i / width))
          return from === undefined ? 0 : (row(from)[i % width] ?? 0)
        },
      }
    return quiet.test(t.name) ? { ...t, fill: (i) => t.fill(i) * 0.01 } : t
  })
}
