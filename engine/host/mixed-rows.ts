/**
 * Rows of the cache that batches of several tokens have written, and what followed them. They differ a little from those
 * of single tokens (sure.ts), and so does every pick after them: one that is in doubt is made when they were written
 * again, each by itself. Only so a text with drafts is the text without.
 */
import { EngineError } from '../engine.ts'
import type { Context } from './context.ts'

/** What one reply has written. Nothing is told apart while others share its batches: see `forget`. */
export interface Rows {
  /** Whether all rows are those of single tokens. */
  readonly exact: boolean
  /** To be called before a draft is evaluated. */
  mix(): Promise<void>
  /** Tells of tokens that were evaluated and stay. */
  add(tokens: readonly number[]): Promise<void>
  /** Writes all rows since the first draft again, one at a time, and gives how many were written. Rejects with EngineError `aborted`; what was written by then stays. */
  rewrite(signal: AbortSignal): Promise<number>
  /** Takes the rows as they are. */
  forget(): void
}

/** Evaluates tokens one at a time. */
export async function writeSingly(
  context: Context,
  slot: number,
  tokens: readonly number[],
  signal: AbortSignal,
): Promise<void> {
  for (const token of tokens) {
    if (signal.aborted) throw new EngineError('aborted', 'stopped')
    await context.evaluateAgain(slot, token, signal)
  }
}

/** Where a cache can be cut anywhere: back to before the first draft. */
export function cutRows(context: Context, slot: number): Rows {
  let from: number | undefined
  let since: number[] = []
  const forget = () => {
    from = undefined
    since = []
  }
  return {
    get exact() {
      return from === undefined
    },
    async mix() {
      from ??= context.length(slot)
    },
    async add(tokens) {
      if (from !== undefined) since.push(...tokens)
    },
    async rewrite(signal) {
      if (from === undefined) return 0
      const tokens = since
      await context.rewind(slot, from)
      forget()
      await writeSingly(context, slot, tokens, signal)
      return tokens.length
    },
    forget,
  }
}
