/** What is asked of the programs that run examples, and what they tell. */
import * as z from 'zod'
import type { Example } from './example.ts'

export interface Job {
  readonly root: string
  readonly path: string
  readonly examples: readonly Example[]
  /** The function that `pair` examples are of. */
  readonly subject: string | undefined
  readonly seconds: number
  /** Begins the line that holds the outcome: a random word, which the code that is checked cannot have written. */
  readonly mark: string
}

const outcome = z.object({
  /** Why the file could not be loaded. `ours`: by what stands in it, not by what is missing on this machine. */
  broken: z.object({ text: z.string(), ours: z.boolean() }).nullable(),
  passed: z.number(),
  failed: z.array(z.object({ source: z.string(), want: z.string(), got: z.string() })),
})
export type Outcome = z.infer<typeof outcome>

/** Undefined when the program did not get to its end. */
export function readOutcome(output: string, { mark }: Pick<Job, 'mark'>): Outcome | undefined {
  const line = output.split('\n').findLast((text) => text.startsWith(mark))
  return line === undefined ? undefined : outcome.parse(JSON.parse(line.slice(mark.length)))
}
