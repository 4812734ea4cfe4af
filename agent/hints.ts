/** What the request of a further attempt says of the one before. */
import { checkOriginal } from './checks/turn.ts'
import { type Attempt, failureText } from './choice.ts'
import type { Spending } from './turn/limits.ts'
import type { Turn } from './turn/turn.ts'

/** What an attempt failed by; undefined when nothing is known that would help. */
export async function whatFailed(
  turn: Turn,
  spending: Spending,
  task: string,
  { ending, climbed, putBack }: Attempt,
): Promise<string | undefined> {
  if (climbed !== undefined) return climbed.failed === undefined ? undefined : failureText(climbed.failed)
  // Nothing was changed: what fails as it is says what there is to do.
  const asWas = await checkOriginal(turn, spending, task, await turn.changes.differences())
  const failed = asWas?.failed && failureText(asWas.failed)
  if (failed !== undefined || putBack !== undefined) return [failed, putBack].filter(Boolean).join('\n')
  return ending.exit === 'limit' ? 'the answer was too long' : undefined
}

/**
 * A small model that is shown a file likes to give it back as it is. A greedy one that hears nothing new does so again, byte for
 * byte; asked to explain first, it was seen to stop at its explanation, which costs a request more.
 */
export const copied = (failed: string | undefined): string =>
  `An earlier answer to this was the code as it stands. That is wrong${failed === undefined ? '' : `: ${failed}`}\nWrite it with the change.`

/** The file is shown without the functions' bodies then. */
export const rewrite = (failed: string): string =>
  `The code that stood here was wrong: ${failed}\nWrite the file anew, in another way, so that this holds.`

export const hint = (failed: string): string => `An earlier answer to this was wrong: ${failed}\nAvoid that mistake.`
