import type { Sampling } from '../../engine/index.ts'

/** How the attempt of this number (from 1) is sampled. Greedy twice, for the second request differs; then warmer, each with its own seed. */
export function samplingOf(own: Partial<Sampling> | undefined, attempt: number): Partial<Sampling> | undefined {
  if (attempt === 1) return own
  const seed = ((own?.seed ?? 0) + attempt) >>> 0
  if (attempt === 2) return { ...own, seed }
  return { ...own, seed, temperature: Math.max(0.7, own?.temperature ?? 0), topP: 0.95, topK: 40, minP: 0.05 }
}
