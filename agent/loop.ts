/** The loop, from the outside: attempts at a task within its limits, and how it ended. */
import { attempts } from './attempts.ts'
import type { Attempted } from './choice.ts'
import type { AgentEvent } from './events.ts'
import { exitCode } from './events.ts'
import { ModelUnavailable } from './reached.ts'
import { Spending } from './turn/limits.ts'
import type { Turn } from './turn/turn.ts'

/**
 * Runs one task to its end. The conversation ends in what the model is told first; `task` is the user's words alone.
 * How a run ends is written in turn/outcome.ts, when it is tried again in attempts.ts. The last event is always `result`.
 */
export async function* runTurn(turn: Turn, task: string): AsyncGenerator<AgentEvent, void> {
  const spending = new Spending(turn.limits, turn.clock)
  try {
    let attempted: Attempted
    try {
      attempted = yield* attempts(turn, spending, task)
    } catch (error) {
      // An engine that is gone, a log that cannot be written, or a bug: whatever it is, it must not be `done`.
      const exit = error instanceof ModelUnavailable ? 'model' : 'not-done'
      const text = error instanceof Error ? error.message : String(error)
      attempted = { ending: { exit, text }, checks: [] }
      yield { type: 'notice', level: 'error', text }
    }
    const changes = await turn.changes.list()
    const { ending, checks } = attempted
    const { exit } = ending
    const text = ending.text || changes.map(({ kind, path }) => `${path}: ${kind}`).join('\n')
    const { steps, seconds, usage, explored } = spending
    const spent = { steps, seconds, usage, ...(explored && { explored }) }
    yield { type: 'result', exit, exitCode: exitCode[exit], text, changes, checks, ...spent }
  } finally {
    spending.close()
  }
}
