/** What of the events is kept in the log, for people who look at a session again. */
import type { AgentEvent } from '../events.ts'
import type { LogRecord } from './format.ts'

/** The record of an event; undefined for what streams by, or stands in the log as a message already. */
export function recordOf(
  event: AgentEvent,
  nowMs: number,
): Exclude<LogRecord, { type: 'message' | 'header' | 'rewind' | 'rebuild' }> | undefined {
  switch (event.type) {
    case 'tool-result': {
      const { callId, seconds, result } = event
      const time = new Date(nowMs).toISOString()
      return { type: 'tool-result', callId, time, seconds, details: { ...result.details } }
    }
    case 'approval': {
      const { callId, allowed, by, reason, effects } = event
      const time = new Date(nowMs).toISOString()
      return { type: 'approval', callId, time, allowed, by, reason, effects: effects.map((effect) => ({ ...effect })) }
    }
    case 'usage':
      return { type: 'usage', usage: { ...event.usage } }
    case 'result': {
      const { exit, text, changes, checks, steps, seconds, usage } = event
      const summary = { steps, seconds, usage, checks, changes: changes.map(({ path, kind }) => ({ path, kind })) }
      return { type: 'result', time: new Date(nowMs).toISOString(), exit, text, summary }
    }
    case 'session':
    case 'step':
    case 'prefill':
    case 'reasoning':
    case 'text':
    case 'call-start':
    case 'call-delta':
    case 'call':
    case 'output':
    case 'malformed':
    case 'notice':
      return undefined
  }
}
