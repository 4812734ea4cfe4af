/** How a run ends that never began. */
import { noUsage } from '../engine/index.ts'
import { type AgentEvent, exitCode } from './events.ts'
import { LogError } from './log/format.ts'

/** No model to talk to, or no log to write: nothing has been asked yet. */
export function* notBegun(error: unknown, seconds: number): Generator<AgentEvent> {
  const text = error instanceof Error ? error.message : String(error)
  const exit = error instanceof LogError ? 'not-done' : 'model'
  yield { type: 'notice', level: 'error', text }
  const nothing = { changes: [], checks: [], steps: 0, usage: noUsage }
  yield { type: 'result', exit, exitCode: exitCode[exit], text, seconds, ...nothing }
}
