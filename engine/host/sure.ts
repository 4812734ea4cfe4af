/**
 * Whether rounding could change a pick. The library's kernels round a batch of several tokens otherwise than a token by
 * itself (measured on the x64 CPU: its repacked 4-bit weights from four rows on; up to three rows are equal bit for
 * bit, and so is everything without repacking), and every row that a batch leaves in the cache carries that on. So a
 * text that is drafted keeps to picks that are far from the next candidate.
 */
import { Candidates } from './grammar.ts'
import type { Pointer } from './layout.ts'
import type { Library } from './library.ts'
import { lead, mostLikely } from './likely.ts'

/**
 * How far two logits must lie apart to stay in their order. The distance of the first two moved by 0.08 in the middle
 * and by 0.36 at most over 2,000 places of Qwen2.5-Coder 0.5B and 1.5B, Q4_K_M.
 */
export const sureLead = 0.5
/** Candidates that a chain is tried with: what it could pick, for all that a rounding can do. */
const tried = 256
/** Which candidates are raised, and which lowered, by half of the lead: the first against the others, then by turns. */
const roundings: readonly ((i: number) => number)[] = [
  () => 0,
  (i) => (i === 0 ? 1 : -1),
  (i) => (i === 0 ? -1 : 1),
  (i) => (i % 2 === 0 ? 1 : -1),
  (i) => (i % 2 === 0 ? -1 : 1),
]

/** Gives the token that is picked however the logits were rounded; undefined where that is in doubt. */
export type SurePick = (values: Float32Array) => number | undefined

/** @param chain undefined: the most likely token is taken. Its state is not changed: copies of it are asked. */
export function surePick(library: Library, chain: Pointer | undefined, vocabulary: number): SurePick {
  if (chain === undefined)
    return (values) => {
      const { token, by } = lead(values)
      return by >= sureLead ? token : undefined
    }
  const { call } = library
  let candidates: Candidates | undefined
  return (values) => {
    candidates ??= new Candidates(library, vocabulary)
    const likely = mostLikely(values, tried)
    let agreed: number | undefined
    for (const rounding of roundings) {
      const copy = call.samplerClone(chain)
      candidates.some(likely, values, (i) => (rounding(i) * sureLead) / 2)
      candidates.apply(copy)
      call.samplerFree(copy)
      const { picked } = candidates
      if (agreed !== undefined && picked !== agreed) return undefined
      agreed = picked
    }
    return agreed
  }
}
