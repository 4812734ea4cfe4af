/**
 * The rows of a reply (mixed-rows.ts) where going back means putting a checkpoint back. That puts the window's cells in
 * another order than they had, attention sums them in the order in which they lie, and a pick that is nearly a tie falls
 * otherwise. So that what is written again is what was written, each reply, with drafts or without, is put in that order at its
 * start and every few tokens; one goes back to these places only.
 */

import type { Checkpoint } from './checkpoints.ts'
import type { Context } from './context.ts'
import { cutRows, type Rows, writeSingly } from './mixed-rows.ts'

/** Tokens between two such places: what a doubtful pick costs at least is half of it; a place costs less than a token. */
const interval = 256

/** To be called at a reply's start, with drafts and without. */
export const rowsOf = (context: Context, slot: number): Promise<Rows> =>
  context.model.rewind === 'checkpoint' && context.mostDrafted > 0
    ? anchoredRows(context, slot)
    : Promise.resolve(cutRows(context, slot))

async function anchoredRows(context: Context, slot: number): Promise<Rows> {
  const { slots } = context
  let anchor: Checkpoint | undefined
  /** Evaluated since the anchor. */
  let since: number[] = []
  let exact = true
  const anchorHere = async () => {
    anchor = await context.inTurn(() => slots.anchor(slot, anchor))
    since = []
  }
  await anchorHere()
  return {
    get exact() {
      return exact
    },
    async mix() {
      if (anchor === undefined) await anchorHere()
      exact = false
    },
    async add(tokens) {
      if (anchor === undefined) return
      since.push(...tokens)
      if (exact && since.length === interval) await anchorHere()
    },
    async rewrite(signal) {
      const back = anchor
      if (back === undefined) return 0
      const tokens = since
      await context.inTurn(() => slots.backTo(slot, back))
      for (let at = 0; at < tokens.length; at += interval) {
        since = tokens.slice(at, at + interval)
        await writeSingly(context, slot, since, signal)
        if (since.length === interval) await anchorHere()
      }
      exact = true
      return tokens.length
    },
    forget() {
      anchor = undefined
      since = []
      exact = true
    },
  }
}
