/**
 * The tokens of one conversation, in order: the one truth that the KV cache is made from. Text is encoded once, when
 * it is appended; what the model sampled stays as sampled.
 */
import type { Dialect, Piece } from '../dialect.ts'
import type { Message, ToolSpec } from '../messages.ts'
import type { Tokenizer } from './growing-tokens.ts'

/** A place to come back to. */
export interface LedgerMark {
  readonly length: number
  readonly previous: Message | undefined
  readonly tools: readonly ToolSpec[]
}

export interface TokenLedger {
  readonly tokens: readonly number[]
  /** The tools of the system message. */
  readonly tools: readonly ToolSpec[]
  append(message: Message): Promise<void>
  /** The tokens that open the assistant's turn here. They join the ledger with the reply, not before. */
  opening(): Promise<number[]>
  /**
   * Adds a reply: its opening, the sampled tokens, and what closes the turn where they do not. An empty reply adds
   * nothing, so that a restored session is the same as one that saw the reply aborted before its first token.
   */
  reply(opening: readonly number[], sampled: readonly number[], message: Message): Promise<void>
  mark(): LedgerMark
  rewind(mark: LedgerMark): void
  /** `tokenizer`: another way to the same tokens. */
  fork(tokenizer?: Tokenizer): TokenLedger
}

export function tokenLedger(
  engine: Tokenizer,
  dialect: Dialect,
  start?: LedgerMark & { tokens: number[] },
): TokenLedger {
  const tokens = start?.tokens ?? []
  let previous = start?.previous
  let tools = start?.tools ?? []

  async function encode(pieces: readonly Piece[]): Promise<number[]> {
    const ids: number[] = []
    for (const piece of joinPieces(pieces)) {
      for (const id of await engine.tokenize(piece.text, { control: piece.control })) ids.push(id)
    }
    return ids
  }

  function add(more: readonly number[]): void {
    for (const id of more) tokens.push(id)
  }

  const ledger: TokenLedger = {
    tokens,
    get tools() {
      return tools
    },
    async append(message) {
      if (message.role === 'assistant' && message.sampled !== undefined) {
        return ledger.reply(message.sampled.length === 0 ? [] : await ledger.opening(), message.sampled, message)
      }
      // Encoded whole before anything is added: a failure in the middle must leave the ledger as it was.
      add(await encode(dialect.encode(message, previous)))
      previous = message
      if (message.role === 'system') tools = message.tools
    },
    opening: () => (previous === undefined ? Promise.resolve([]) : encode(dialect.open(previous))),
    async reply(opening, sampled, message) {
      if (sampled.length === 0) return
      const close = await encode(dialect.close(message))
      const closed = close.every((id, index) => sampled[sampled.length - close.length + index] === id)
      add(opening)
      add(sampled)
      if (!closed) add(close)
      previous = message
    },
    mark: () => ({ length: tokens.length, previous, tools }),
    rewind(mark) {
      tokens.length = Math.min(tokens.length, mark.length)
      previous = mark.previous
      tools = mark.tools
    },
    fork: (tokenizer = engine) => tokenLedger(tokenizer, dialect, { ...ledger.mark(), tokens: [...tokens] }),
  }
  return ledger
}

/** Neighbours of one kind are tokenised as one text: fewer seams, fewer calls. */
function joinPieces(pieces: readonly Piece[]): Piece[] {
  const joined: Piece[] = []
  for (const piece of pieces) {
    const last = joined.at(-1)
    if (last?.control === piece.control) joined[joined.length - 1] = { ...piece, text: last.text + piece.text }
    else joined.push(piece)
  }
  return joined.filter((piece) => piece.text !== '')
}
