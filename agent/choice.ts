/** Which of several attempts at a task stays. */
import type { Difference } from './changes.ts'
import type { Climb } from './checks/ladder.ts'
import { checkOriginal } from './checks/turn.ts'
import type { CheckReport } from './events.ts'
import type { Spending } from './turn/limits.ts'
import type { Ending } from './turn/outcome.ts'
import type { Turn } from './turn/turn.ts'

export interface Attempted {
  readonly ending: Ending
  readonly checks: readonly CheckReport[]
}

/** One attempt with all that is needed to come back to it. */
export interface Attempt {
  readonly ending: Ending
  /** Undefined where it changed nothing that could be checked. */
  readonly climbed: Climb | undefined
  readonly held: readonly Difference[]
  /** What was put back of it; see `Turn.putBack`. */
  readonly putBack: string | undefined
  /** Equal for attempts that came to the same text. */
  readonly key: string
  /** Mean log-probability of what the model said; undefined where it is not known. */
  readonly certainty: number | undefined
}

export const failureText = ({ name, detail }: CheckReport): string => `${name}: ${detail}`

/** Blank lines and the ends of lines do not tell attempts apart. */
export function keyOf(held: readonly Difference[]): string {
  const plain = (bytes: Buffer | null | undefined) =>
    bytes
      ?.toString('latin1')
      .replace(/\s*\n\s*\n/g, '\n')
      .trimEnd()
  return JSON.stringify(held.map(({ path, after }) => [path, plain(after)]))
}

/** Attempts that nothing speaks against, but that nothing proves either. */
const possible = (made: readonly Attempt[]) => made.filter(({ climbed }) => climbed?.failed === undefined && climbed)

const agreeing = (made: readonly Attempt[], { key }: Attempt): number =>
  made.filter((other) => other.key === key).length

/** Whether one attempt is to be taken rather than another: more agree with it, or as many and the model was surer of it. */
function isRather(open: readonly Attempt[], one: Attempt, other: Attempt): boolean {
  const more = agreeing(open, one) - agreeing(open, other)
  if (more !== 0 || one.certainty === undefined || other.certainty === undefined) return more > 0
  return one.certainty > other.certainty
}

/** More than half of all attempts that will be made agree already. */
export function settled(made: readonly Attempt[], tries: number): boolean {
  return possible(made).some((attempt) => agreeing(made, attempt) > tries / 2)
}

/** The attempt that came farthest; the first of equals, which is the greediest. */
export function farthest(made: readonly Attempt[]): Attempt | undefined {
  const height = ({ climbed }: Attempt): number => climbed?.height ?? -1
  return made.reduce<Attempt | undefined>(
    (best, attempt) => (best === undefined || height(attempt) > height(best) ? attempt : best),
    undefined,
  )
}

export async function choose(
  turn: Turn,
  spending: Spending,
  task: string,
  made: readonly Attempt[],
): Promise<Attempted & { readonly attempt: Attempt | undefined }> {
  const open = possible(made)
  if (open.length > 0) {
    const attempt = open.reduce((best, each) => (isRather(open, each, best) ? each : best))
    const count = agreeing(open, attempt)
    const sure = count === 1 && attempt.certainty !== undefined ? ', of which the model was the surest' : ''
    const detail = `${count} of ${made.length} attempts came to this text${sure}`
    const agreement: CheckReport = { name: 'agreement', passed: count > 1 ? true : null, detail }
    return { attempt, ending: attempt.ending, checks: [...(attempt.climbed?.reports ?? []), agreement] }
  }
  const best = farthest(made)!
  if (best.climbed === undefined) return { attempt: best, ending: best.ending, checks: [] }
  const failed = best.climbed.failed === undefined ? [] : [failureText(best.climbed.failed)]
  const before = await checkOriginal(turn, spending, task, best.held)
  if (before !== undefined && before.height > best.climbed.height) {
    const text = 'Every attempt came less far than the files as they were, so these are back.'
    return { attempt: undefined, ending: notDone([...failed, text], made.length), checks: before.reports }
  }
  return { attempt: best, ending: notDone(failed, made.length), checks: best.climbed.reports }
}

export function notDone(why: readonly string[], count: number): Ending {
  const tried = count === 1 ? 'The change does not pass its checks.' : `No attempt of ${count} passed the checks.`
  return { exit: 'not-done', text: [tried, ...why].join('\n') }
}
