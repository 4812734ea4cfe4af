/** What was used: by a session, or by all of this program. */
import { addUsage, noUsage, type Usage } from '../../../engine/index.ts'

export interface Totals {
  turns: number
  usage: Usage
}

export const newTotals = (): Totals => ({
  turns: 0,
  usage: noUsage,
})

export function addTurn(totals: Totals, used: Usage): void {
  totals.turns += 1
  totals.usage = addUsage(totals.usage, used)
}

/** A question aside: it is no turn, and in no session's log. */
export function addAside(totals: Totals, used: Usage): void {
  totals.usage = addUsage(totals.usage, used)
}
