/**
 * Attempts at a task, and which of them stays.
 *
 * An attempt that the model ends as done climbs the ladder of checks (checks/ladder.ts) on the files as they are. What fails
 * there is tried again. A small model gets a fresh attempt: files and context go back to where the task was given, so that it
 * is not poisoned by its own errors, and the new request shows in a few lines what failed; the second attempt is as greedy as
 * the first, later ones are sampled; a model that writes several replies at once for less than one after the other (see
 * turn/together.ts) writes the sampled ones so. Where the model cannot go back, or is large enough to mend its own work, it is told what
 * failed and goes on. When no attempt passes, the one that came farthest stays, unless the files as they were come farther
 * still; the run is then not done.
 *
 * Where no check looks at what the code does, the first attempt stays; only when the user asked for several (`--tries`) are
 * they compared, and the most frequent is taken, the one among equals that the model was surest of.
 */
import { afresh } from './afresh.ts'
import { checkAttempt } from './checks/turn.ts'
import { type Attempted, failureText, notDone } from './choice.ts'
import type { AgentEvent } from './events.ts'
import { inSteps } from './steps.ts'
import type { Spending } from './turn/limits.ts'
import { halted, rounds } from './turn/rounds.ts'
import type { Turn } from './turn/turn.ts'

/** Attempts where the user does not say how many. */
const usual = 3

export async function* attempts(turn: Turn, spending: Spending, task: string): AsyncGenerator<AgentEvent, Attempted> {
  if (turn.steps !== undefined) return yield* inSteps(turn, spending, task, turn.steps)
  const mark = turn.info.prompt === 'small' ? await turn.conversation.mark() : undefined
  return mark === undefined ? yield* mended(turn, spending, task) : yield* afresh(turn, spending, task, mark)
}

/** The model hears what failed and goes on from there. */
async function* mended(turn: Turn, spending: Spending, task: string): AsyncGenerator<AgentEvent, Attempted> {
  const tries = turn.tries ?? usual
  /** What failed last: of an attempt that ends before its own checks, it is all that is known. What passed then may fail now. */
  let checks: Attempted['checks'] = []
  for (let attempt = 1; ; attempt++) {
    const ending = yield* rounds(turn, spending, task)
    if (ending.exit !== 'done') return { ending, checks }
    const putBack = await turn.putBack?.()
    const climbed = await checkAttempt(turn, spending, task, { putBack })
    if (climbed === undefined) return { ending: halted(turn, spending) ?? ending, checks }
    if (climbed.failed === undefined) return { ending, checks: climbed.reports }
    const failed = failureText(climbed.failed)
    if (attempt >= tries) return { ending: notDone([failed], attempt), checks: climbed.reports }
    const stop = halted(turn, spending)
    if (stop !== undefined) return { ending: stop, checks: climbed.reports }
    checks = climbed.reports.filter(({ passed }) => passed === false)
    yield { type: 'notice', level: 'warning', text: `A check failed: ${failed}` }
    await turn.conversation.append([{ role: 'user', text: `A check of your change failed.\n${failed}\nMend it.` }])
  }
}
