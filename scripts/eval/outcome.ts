/** What one attempt at one task came to. */
import * as z from 'zod'

/**
 * Why a task was not solved. `no-change`: the files are as they were. `form`: there was an answer, but no file could be
 * taken from it. `no-match`: an edit did not match. `wrong`: files changed and the check fails. `check`: the check
 * itself did not end. `limit`, `model`: the run ended so.
 */
export const failureClasses = ['no-change', 'form', 'no-match', 'wrong', 'check', 'limit', 'model'] as const

export const outcomeSchema = z.object({
  mode: z.string(),
  model: z.string(),
  task: z.string(),
  set: z.string(),
  solved: z.boolean(),
  failure: z.enum(failureClasses).optional(),
  /** Wall time of the attempt, the check not included. */
  seconds: z.number(),
  promptTokens: z.number(),
  generatedTokens: z.number(),
  requests: z.number(),
  /** Exit code of the program; 0 for raw. */
  exit: z.number(),
  /** Last lines of the check's output when it failed. */
  detail: z.string().optional(),
})

export type Outcome = z.infer<typeof outcomeSchema>

/** Wilson score interval at 95 % for `solved` of `total`, as fractions. E. B. Wilson, JASA 22 (1927). */
export function wilson(solved: number, total: number): [low: number, high: number] {
  if (total === 0) return [0, 1]
  const z = 1.96
  const p = solved / total
  const denominator = 1 + (z * z) / total
  const centre = (p + (z * z) / (2 * total)) / denominator
  const half = (z / denominator) * Math.sqrt((p * (1 - p)) / total + (z * z) / (4 * total * total))
  return [Math.max(0, centre - half), Math.min(1, centre + half)]
}

/** The middle value; 0 of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length === 0) return 0
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
