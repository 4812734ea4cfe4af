/** One attempt at a task: the model speaks, its calls run, it hears the results. */
import type { AgentEvent } from '../events.ts'
import { runCalls } from './calls.ts'
import { writeGuard } from './guard.ts'
import type { Spending } from './limits.ts'
import { type Ending, judge, newStanding } from './outcome.ts'
import { repeats } from './repeats.ts'
import { hearReply, type Reply } from './reply.ts'
import type { Turn } from './turn.ts'
import { asksForChange, showsFailure } from './wishes.ts'

/** Why the run may not go on; undefined when it may. */
export function halted(turn: Turn, spending: Spending): Ending | undefined {
  if (turn.signal.aborted) return { exit: 'interrupted', text: 'Interrupted.' }
  const limit = spending.exhausted()
  return limit === undefined ? undefined : { exit: 'limit', text: limit }
}

/** The end of a run that no further attempt can help; undefined when one may. */
export function stoppedBy(turn: Turn, spending: Spending, ending: Ending): Ending | undefined {
  const halt = ending.exit === 'done' ? undefined : halted(turn, spending)
  if (halt !== undefined) return halt
  return ending.exit === 'done' || ending.exit === 'not-done' || ending.exit === 'limit' ? undefined : ending
}

/**
 * How often in a row a reply may break off like this and be asked for again: the session is good, and nothing of the reply is
 * in it. An engine's host that died is started anew; a server whose reply broke off in the middle has answered, at least.
 * What never answered was tried again by the model's own rules already.
 */
function mostBroken({ failure: { kind }, begun }: Extract<Reply, { kind: 'failed' }>): number {
  if (kind === 'engine-died') return 1
  return begun && (kind === 'bad-reply' || kind === 'unreachable' || kind === 'timeout') ? 2 : 0
}

async function* nextReply(turn: Turn, spending: Spending, signal: AbortSignal): AsyncGenerator<AgentEvent, Reply> {
  if (turn.makeRoom !== undefined) yield* turn.makeRoom()
  spending.steps += 1
  yield { type: 'step', step: spending.steps }
  const maxTokens = spending.replyTokens(turn.info, turn.replyTokens)
  return yield* hearReply(turn, { signal, maxTokens, spent: (usage) => spending.add(usage) })
}

/**
 * Steps of one attempt, until the rules of outcome.ts end it. `done` means here that the model has nothing more to do and
 * nothing it tried is left failed; whether it is right is for the checks. `heard`: the first reply, where it is there already.
 */
export async function* rounds(
  turn: Turn,
  spending: Spending,
  task: string,
  heard?: Reply,
): AsyncGenerator<AgentEvent, Ending> {
  const signal = AbortSignal.any([turn.signal, spending.overdue])
  const standing = newStanding()
  const circles = repeats()
  const guard = writeGuard({
    task,
    workspace: turn.toolContext.workspace,
    mine: turn.changes.made,
    parts: turn.parts,
    unseen: turn.unseen === true,
    quotes: turn.info.finishes === 'edits',
  })
  const wantsChange = (asksForChange(task) || showsFailure(task)) && turn.filesInPlay().length > 0
  const stopped = () => halted(turn, spending)
  /** Replies in a row that broke off. */
  let broken = 0
  let first = heard

  for (;;) {
    const halt = stopped()
    if (halt !== undefined) return halt

    const reply = first ?? (yield* nextReply(turn, spending, signal))
    first = undefined
    if (reply.kind === 'left') return stopped()!
    if (reply.kind === 'failed') {
      const { message, retryable } = reply.failure
      if (turn.signal.aborted || spending.overdue.aborted) return stopped()!
      broken += 1
      if (!retryable || broken > mostBroken(reply)) return { exit: 'model', text: message }
      yield { type: 'notice', level: 'warning', text: `${message.replace(/\.?$/, '.')} Asking once more.` }
      continue
    }

    broken = 0
    const outcomes = yield* runCalls(turn, reply, {
      ...{ circles, guard, signal },
      explored: (usage) => spending.addExplored(usage),
    })
    if (signal.aborted || reply.stop === 'aborted') return stopped() ?? { exit: 'interrupted', text: 'Interrupted.' }
    const next = await judge(standing, turn.info, reply, outcomes, {
      wantsChange,
      differs: async () => (await turn.changes.list()).length > 0,
    })
    // Words of the user that came meanwhile are heard before the run may end as done.
    const steering = turn.steering()
    if (next.kind === 'end' && (next.ending.exit !== 'done' || steering.length === 0)) return next.ending
    const news = await turn.news?.(outcomes.some(({ effects }) => effects.some(({ kind }) => kind === 'run')))
    if (news) yield { type: 'notice', level: 'info', text: 'Files that the model knows have changed; it is told how.' }
    const words = [...(news ? [news] : []), ...(next.kind === 'on' ? next.say : []), ...steering]
    await turn.conversation.append(words.map((text) => ({ role: 'user', text })))
  }
}
