/** What the session has used so far. */
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
