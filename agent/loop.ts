/** The loop: the model speaks, its calls run, it hears the results, until the rules say that the run ends. */
import { ModelUnavailable } from './conversation.ts'
import type { AgentEvent } from './events.ts'
import { exitCode } from './events.ts'
import { runCalls } from './turn/calls.ts'
import { writeGuard } from './turn/guard.ts'
import { Spending } from './turn/limits.ts'
import { type Ending, judge, newStanding } from './turn/outcome.ts'
import { repeats } from './turn/repeats.ts'
import { hearReply } from './turn/reply.ts'
import type { Turn } from './turn/turn.ts'
import { asksForChange } from './turn/wishes.ts'

/**
 * Runs one task to its end. The conversation ends in what the model is told first; `task` is the user's words alone.
 * How a run ends is written in turn/outcome.ts. The last event is always `result`.
 */
export async function* runTurn(turn: Turn, task: string): AsyncGenerator<AgentEvent, void> {
  const spending = new Spending(turn.limits, turn.clock)
  try {
    let ending: Ending
    try {
      ending = yield* rounds(turn, spending, task)
    } catch (error) {
      // An engine that is gone, a log that cannot be written, or a bug: whatever it is, it must not be `done`.
      const exit = error instanceof ModelUnavailable ? 'model' : 'not-done'
      ending = { exit, text: error instanceof Error ? error.message : String(error) }
      yield { type: 'notice', level: 'error', text: ending.text }
    }
    const changes = await turn.changes.list()
    const { exit } = ending
    const text = ending.text || changes.map(({ kind, path }) => `${path}: ${kind}`).join('\n')
    const { steps, seconds, usage } = spending
    yield { type: 'result', exit, exitCode: exitCode[exit], text, changes, steps, seconds, usage }
  } finally {
    spending.close()
  }
}

async function* rounds(turn: Turn, spending: Spending, task: string): AsyncGenerator<AgentEvent, Ending> {
  const signal = AbortSignal.any([turn.signal, spending.overdue])
  const standing = newStanding()
  const circles = repeats()
  const guard = writeGuard({
    task,
    workspace: turn.toolContext.workspace,
    mine: turn.changes.made,
    quotes: turn.info.finishes === 'edits',
  })
  const wantsChange = asksForChange(task) && turn.filesInPlay().length > 0
  const stopped = (): Ending | undefined => {
    if (turn.signal.aborted) return { exit: 'interrupted', text: 'Interrupted.' }
    const limit = spending.exhausted()
    return limit === undefined ? undefined : { exit: 'limit', text: limit }
  }
  let restarted = false

  for (;;) {
    const halt = stopped()
    if (halt !== undefined) return halt

    spending.steps += 1
    yield { type: 'step', step: spending.steps }
    const maxTokens = spending.replyTokens(turn.info, turn.replyTokens)
    const reply = yield* hearReply(turn, { signal, maxTokens, spent: (usage) => spending.add(usage) })
    if (reply.kind === 'left') return stopped()!
    if (reply.kind === 'failed') {
      const { kind, message, retryable } = reply.failure
      if (turn.signal.aborted || spending.overdue.aborted) return stopped()!
      // The engine's host died: the session is still good, a new host reads its tokens again. Once a run.
      if (kind !== 'engine-died' || !retryable || restarted) return { exit: 'model', text: message }
      restarted = true
      yield { type: 'notice', level: 'warning', text: `${message} Asking once more.` }
      continue
    }

    const outcomes = yield* runCalls(turn, reply, { circles, guard, signal })
    if (signal.aborted || reply.stop === 'aborted') return stopped() ?? { exit: 'interrupted', text: 'Interrupted.' }
    const next = await judge(standing, turn.info, reply, outcomes, {
      wantsChange,
      differs: async () => (await turn.changes.list()).length > 0,
    })
    // Words of the user that came meanwhile are heard before the run may end as done.
    const steering = turn.steering()
    if (next.kind === 'end' && (next.ending.exit !== 'done' || steering.length === 0)) return next.ending
    const words = [...(next.kind === 'on' ? next.say : []), ...steering]
    await turn.conversation.append(words.map((text) => ({ role: 'user', text })))
  }
}
