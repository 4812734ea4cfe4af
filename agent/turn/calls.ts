/** Runs the calls of one reply, in order, and gives each exactly one result. */
import type { ToolCall } from '../../engine/index.ts'
import { type Effect, failure, type ToolResult } from '../../tools/index.ts'
import { interruptedText } from '../conversation.ts'
import type { AgentEvent } from '../events.ts'
import { readIncoming } from './incoming.ts'
import { type CallOptions, type Prepared, prepareCall } from './prepare.ts'
import { newFaults } from './readable.ts'
import type { Reply } from './reply.ts'
import type { Turn } from './turn.ts'
import { follow } from './work.ts'

/** What became of a call, for the rules that decide how the run ends. */
export interface CallOutcome {
  readonly call: ToolCall
  readonly effects: readonly Effect[]
  readonly result: ToolResult
  readonly why: 'ran' | 'interrupted' | 'not-reached' | Extract<Prepared, { kind: 'settled' }>['why']
}

/**
 * Runs the calls of a whole reply one after another. The result of each is in the log and with the model before the
 * next one starts. Once the signal aborts, or the model is found in a circle it was told of, the rest are answered
 * without being run, so that the conversation stays valid.
 */
export async function* runCalls(
  turn: Turn,
  reply: Extract<Reply, { kind: 'whole' }>,
  options: CallOptions,
): AsyncGenerator<AgentEvent, readonly CallOutcome[]> {
  const { signal } = options
  options.guard.reply(reply.message.calls)
  const outcomes: CallOutcome[] = []
  for (const call of reply.message.calls) {
    const began = turn.clock.now()
    const circling = outcomes.some(({ why }) => why === 'circle-again')
    let outcome: CallOutcome
    if (signal.aborted) outcome = interrupted(call, [])
    else if (circling) {
      outcome = { call, effects: [], result: failure('aborted', 'Not run: the run ends here.'), why: 'not-reached' }
    } else {
      const prepared = await prepareCall(turn, call, { ...options, cut: call.id === reply.cutCall })
      const { effects, decision } = prepared
      yield { type: 'call', call, effects }
      if (decision !== undefined) yield { type: 'approval', callId: call.id, ...decision, effects }
      outcome = prepared.kind === 'settled' ? prepared : yield* execute(turn, prepared, options)
    }
    outcomes.push(outcome)
    const { result } = outcome
    await turn.conversation.append([
      { role: 'tool', callId: call.id, name: call.name, text: result.content, ok: result.ok },
    ])
    // What is there already is read while the next call runs.
    if (outcomes.length < reply.message.calls.length) void turn.conversation.ahead([])
    yield* tellFindings(result)
    const seconds = (turn.clock.now() - began) / 1000
    yield { type: 'tool-result', callId: call.id, name: call.name, result, seconds }
  }
  return outcomes
}

/** What a command left that programs outside would obey is for the user to know, too; the model reads it in the result. */
function* tellFindings({ details }: ToolResult): Generator<AgentEvent> {
  if (details.kind !== 'command') return
  for (const { message, reverted } of details.findings ?? []) {
    const look = reverted === true ? '' : ' Look at it before you work there.'
    yield { type: 'notice', level: 'warning', text: `After this command: ${message}.${look}` }
  }
}

/** Second phase: the tool itself, with its live output. A tool that throws is a bug of ours, told as a failure. */
async function* execute(
  turn: Turn,
  { call, effects, tool, input, policy, note }: Extract<Prepared, { kind: 'run' }>,
  { signal, explored }: CallOptions,
): AsyncGenerator<AgentEvent, CallOutcome> {
  const unrecorded = await turn.recorder.before(effects, policy, signal)
  if (unrecorded !== undefined) yield { type: 'notice', level: 'warning', text: unrecorded }
  await turn.changes.before(effects, turn.recorder.start())
  if (signal.aborted) return interrupted(call, effects)
  const incoming = readIncoming(turn.conversation, call)
  const { explore } = turn
  const run = async (tell: (text: string) => void): Promise<ToolResult> => {
    try {
      const { beginning } = incoming
      const result = await tool.run(input, {
        ...turn.toolContext,
        policy,
        signal,
        onOutput: tell,
        onBeginning: beginning,
        ...(explore && { explore: (question, stop) => explore(question, { signal: stop, spent: explored }) }),
      })
      if (!result.ok) return result
      const notes = [note, await newFaults(result.details, turn.toolContext.code)].filter(Boolean)
      return { ...result, content: [result.content, ...notes].join('\n') }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      return failure('io', `The tool ${tool.name} failed: ${message}`)
    } finally {
      incoming.end()
    }
  }
  const leave = (rest: Promise<unknown>) => turn.conversation.leaveBehind(rest)
  for await (const step of follow(run, { signal, leave })) {
    if (step.kind === 'progress') yield { type: 'output', callId: call.id, text: step.progress }
    else return { call, effects, result: step.result, why: signal.aborted && !step.result.ok ? 'interrupted' : 'ran' }
  }
  return interrupted(call, effects)
}

function interrupted(call: ToolCall, effects: readonly Effect[]): CallOutcome {
  return { call, effects, result: failure('aborted', interruptedText), why: 'interrupted' }
}
