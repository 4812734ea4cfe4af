import { closest, distance } from 'fastest-levenshtein'

/** The candidate that a mistyped word most likely meant; undefined when none is near: more than two letters and two fifths differ. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined
  const best = closest(word, candidates)
  const far = Math.max(Math.min(2, word.length - 1), Math.floor(Math.max(word.length, best.length) * 0.4))
  return distance(word, best) <= far ? best : undefined
}
