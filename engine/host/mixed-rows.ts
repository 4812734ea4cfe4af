/**
 * Rows of the cache that batches of several tokens have written, and what followed them. They differ a little from those
 * of single tokens (sure.ts), and so does every pick after them: one that is in doubt is made when they were written
 * again, each by itself. Only so a text with drafts is the text without.
 */
import { EngineError } from '../engine.ts'
import type { Context } from './context.ts'

export interface MixedRows {
  /** Tells of tokens that were evaluated and stay. */
  add(tokens: readonly number[]): void
  /** Writes all rows again, one at a time, and gives how many they were. Rejects with EngineError `aborted`; what was written by then stays. */
  rewrite(signal: AbortSignal): Promise<number>
}

/** To be called before the first draft: all rows until here are as they are without drafts. */
export async function mixedRows(context: Context, slot: number): Promise<MixedRows> {
  const { slots } = context
  await context.inTurn(() => slots.checkpoint(slot, 'now'))
  const before = slots.history(slot).tokens()
  const since: number[] = []
  return {
    add(tokens) {
      since.push(...tokens)
    },
    async rewrite(signal) {
      await context.rewind(slot, before.length)
      // A model that goes back to checkpoints may have gone back further.
      const rows = [...before.subarray(slots.length(slot)), ...since]
      for (const token of rows) {
        if (signal.aborted) throw new EngineError('aborted', 'stopped')
        await context.evaluateAgain(slot, token, signal)
      }
      return rows.length
    },
  }
}
