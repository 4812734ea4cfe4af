import { closest, distance } from 'fastest-levenshtein'

/** The candidate that a mistyped word most likely meant; undefined when none is near (over two fifths of it differ). */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined
  const best = closest(word, candidates)
  const far = Math.max(1, Math.floor(Math.max(word.length, best.length) * 0.4))
  return distance(word, best) <= far ? best : undefined
}
