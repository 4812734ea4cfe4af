/** What the session has used so far. */
import type { Usage } from '../../../engine/index.ts'

export interface Totals {
  turns: number
  usage: Usage
}

export const newTotals = (): Totals => ({
  turns: 0,
  usage: {
    promptTokens: 0,
    cachedTokens: 0,
    evaluatedTokens: 0,
    generatedTokens: 0,
    prefillSeconds: 0,
    decodeSeconds: 0,
  },
})

export function addTurn(totals: Totals, used: Usage): void {
  const { usage } = totals
  totals.turns += 1
  totals.usage = {
    promptTokens: usage.promptTokens + used.promptTokens,
    cachedTokens: usage.cachedTokens + used.cachedTokens,
    evaluatedTokens: usage.evaluatedTokens + used.evaluatedTokens,
    generatedTokens: usage.generatedTokens + used.generatedTokens,
    prefillSeconds: usage.prefillSeconds + used.prefillSeconds,
    decodeSeconds: usage.decodeSeconds + used.decodeSeconds,
  }
}
