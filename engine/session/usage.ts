/** Sums of what replies cost. */
import type { Usage } from '../model.ts'

/** What a reply that was never asked for cost. */
export const noUsage: Usage = {
  promptTokens: 0,
  cachedTokens: 0,
  evaluatedTokens: 0,
  generatedTokens: 0,
  prefillSeconds: 0,
  decodeSeconds: 0,
}

/** What both cost together. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    promptTokens: a.promptTokens + b.promptTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    evaluatedTokens: a.evaluatedTokens + b.evaluatedTokens,
    generatedTokens: a.generatedTokens + b.generatedTokens,
    prefillSeconds: a.prefillSeconds + b.prefillSeconds,
    decodeSeconds: a.decodeSeconds + b.decodeSeconds,
    ...sumOf(a, b, 'draftedTokens'),
    ...sumOf(a, b, 'acceptedTokens'),
    ...priceOf(a, b),
  }
}

/** Only of remote models whose prices are known. */
function priceOf({ price: a }: Usage, { price: b }: Usage): Partial<Usage> {
  if (a === undefined || b === undefined) return a === undefined && b === undefined ? {} : { price: a ?? b! }
  return { price: { hits: a.hits + b.hits, misses: a.misses + b.misses, output: a.output + b.output } }
}

/** Only embedded models draft. */
function sumOf(a: Usage, b: Usage, key: 'draftedTokens' | 'acceptedTokens'): Partial<Usage> {
  return a[key] === undefined && b[key] === undefined ? {} : { [key]: (a[key] ?? 0) + (b[key] ?? 0) }
}

/** What a text costs where nobody can count its tokens: four characters a token, rounded up. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / 4)
}
