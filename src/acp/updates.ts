/** The loop's events as what an editor shows. */
import type { SessionUpdate, ToolCallContent } from '@agentclientprotocol/sdk'
import type { AgentEvent, Replayed } from '../../agent/index.ts'
import type { ToolDetails } from '../../tools/index.ts'
import { callDiffs, callKind, callLocations, callTitle } from './call.ts'

/** Output of a running command is shown again at most so often, and so much of its end. */
const outputMs = 250
const outputTail = 8000

type Result = Extract<AgentEvent, { type: 'result' }>

export interface Updates {
  take(event: AgentEvent): SessionUpdate[]
}

const words = (text: string): ToolCallContent => ({ type: 'content', content: { type: 'text', text } })
const say = (text: string): SessionUpdate => ({
  sessionUpdate: 'agent_message_chunk',
  content: { type: 'text', text },
})

/** One prompt's events. `cwd`: the work tree. */
export function updates(cwd: string): Updates {
  let running: { readonly id: string; text: string; shownAt: number } | undefined
  return {
    take(event) {
      switch (event.type) {
        case 'text':
          return [say(event.text)]
        case 'reasoning':
          return [{ sessionUpdate: 'agent_thought_chunk', content: { type: 'text', text: event.text } }]
        case 'call': {
          const { call, effects } = event
          running = { id: call.id, text: '', shownAt: 0 }
          return [
            {
              sessionUpdate: 'tool_call',
              toolCallId: call.id,
              title: callTitle(call, effects),
              kind: callKind(effects),
              status: 'in_progress',
              rawInput: call.arguments,
              locations: callLocations(effects, cwd),
            },
          ]
        }
        case 'output': {
          if (running?.id !== event.callId) return []
          running.text = (running.text + event.text).slice(-outputTail)
          if (performance.now() - running.shownAt < outputMs) return []
          running.shownAt = performance.now()
          return [{ sessionUpdate: 'tool_call_update', toolCallId: event.callId, content: [words(running.text)] }]
        }
        case 'tool-result': {
          const { callId, result } = event
          return [
            {
              sessionUpdate: 'tool_call_update',
              toolCallId: callId,
              status: result.ok ? 'completed' : 'failed',
              content: contentOf(result.details, result.content, cwd),
            },
          ]
        }
        case 'malformed':
          return [say(event.text)]
        case 'notice':
          return event.level === 'info' ? [] : [say(`\n\n> ${event.text}\n\n`)]
        case 'result':
          return closing(event).map(say)
        default:
          // Progress, steps, usage, a call that is still being written: nothing that an editor has a place for.
          return []
      }
    },
  }
}

/** How it ended, as we checked it: never only in the model's words. */
function closing({ exit, text, checks }: Result): string[] {
  const made = checks.map(({ name, passed }) => `${passed === null ? '–' : passed ? '✓' : '✗'} ${name}`)
  const ended = exit === 'done' || exit === 'interrupted' || exit === 'model' ? [] : [`${exit}: ${text}`]
  const lines = [...(made.length === 0 ? [] : [made.join(' · ')]), ...ended]
  return lines.length === 0 ? [] : [`\n\n${lines.join('\n\n')}`]
}

function contentOf(details: ToolDetails, content: string, cwd: string): ToolCallContent[] {
  if (details.kind === 'change') return callDiffs([details], cwd)
  if (details.kind === 'changes') return callDiffs(details.files, cwd)
  return [words(details.kind === 'command' ? details.output || content : content)]
}

/** An earlier session's turns, for an editor that loads it. */
export function replayUpdates(replayed: readonly Replayed[], cwd: string): SessionUpdate[] {
  const drawing = updates(cwd)
  return replayed.flatMap((event): SessionUpdate[] => {
    if (event.type === 'input') {
      return [{ sessionUpdate: 'user_message_chunk', content: { type: 'text', text: event.text } }]
    }
    // How a turn ended then was said then.
    return event.type === 'result' ? [] : drawing.take(event)
  })
}
