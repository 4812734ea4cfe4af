/** First phase of a call: may it run, and with what? */
import type { ToolCall, Usage } from '../../engine/index.ts'
import type { Policy } from '../../sandbox/index.ts'
import { type Effect, failure, parseCall, type Tool, type ToolResult } from '../../tools/index.ts'
import type { ApprovalAnswer, ApprovalRequest } from '../options.ts'
import { judgeCall } from '../policy/judge.ts'
import { OpeningError, spelt, widened } from '../policy/opening.ts'
import type { WriteGuard } from './guard.ts'
import type { Repeats } from './repeats.ts'
import type { Turn } from './turn.ts'

export type Prepared =
  | {
      readonly kind: 'run'
      readonly call: ToolCall
      readonly effects: readonly Effect[]
      readonly tool: Tool
      readonly input: unknown
      readonly policy: Policy
      /** What was done to the call before it ran; told to the model with the result. */
      readonly note: string | undefined
      /** Set when it had to be asked for. */
      readonly decision: Decision | undefined
    }
  /** Will not run: the model gets `result`. `why` tells the outcome rules what kind of no it was. */
  | {
      readonly kind: 'settled'
      readonly call: ToolCall
      readonly effects: readonly Effect[]
      readonly result: ToolResult
      readonly why:
        | 'unreadable'
        | 'cut'
        | 'circle'
        | 'circle-again'
        | 'denied'
        /** By a rule, or because there was nobody to ask: not a person's answer. */
        | 'forbidden'
        | 'no-sandbox'
        | 'would-lose'
        | 'only-asked'
      readonly decision: Decision | undefined
    }

/** What was decided about a call that needed a yes: see the event `approval`. */
export interface Decision {
  readonly allowed: boolean
  readonly by: 'person' | 'nobody' | 'rule'
  readonly reason: string
}

const cutText =
  'Not run: your reply was cut off at its length limit, so this call may be incomplete. Send it again, in smaller parts.'
const circleText =
  'Not run: this repeats what you did before and would give the same result. Do something else, or say what stands in the way.'

/** What the calls of a run share. */
export interface CallOptions {
  readonly circles: Repeats
  readonly guard: WriteGuard
  readonly signal: AbortSignal
  /** Takes what each reply within an exploration has cost. */
  readonly explored: (usage: Usage) => void
}

/** Parses a call, looks for circles, asks policy and, where policy says so, a person. Never waits where nobody is. */
export async function prepareCall(
  turn: Turn,
  call: ToolCall,
  { cut, circles, guard, signal }: CallOptions & { readonly cut: boolean },
): Promise<Prepared> {
  const parsed = parseCall(turn.tools, call.name, call.arguments)
  let effects: readonly Effect[] = parsed.ok ? parsed.effects.map((effect) => normalised(effect, turn)) : []
  const settled = (
    why: Extract<Prepared, { kind: 'settled' }>['why'],
    result: ToolResult,
    decision?: Decision,
  ): Prepared => ({ kind: 'settled', call, effects, result, why, decision })

  const circle = circles.note(call)
  if (circle === 'again') return settled('circle-again', failure('denied', circleText))
  if (circle === 'told') return settled('circle', failure('denied', circleText))
  if (cut) return settled('cut', failure('bad-arguments', cutText))
  if (!parsed.ok) return settled('unreadable', failure(parsed.reason, parsed.problem))

  const { tool } = parsed
  const guarded = await guard.look(tool.name, parsed.input, effects)
  if (guarded.kind === 'refuse') return settled(guarded.why, failure('denied', guarded.told))
  const { input, note } = guarded
  const { policy, sandbox } = turn.toolContext
  try {
    effects = spelt(effects, policy, sandbox)
  } catch (error) {
    if (!(error instanceof OpeningError)) throw error
    return settled('unreadable', failure('bad-arguments', `Not run: ${error.message}`))
  }
  const verdict = await judgeCall({ tool: tool.name, effects, policy, sandbox, rules: turn.rules })
  const run = { kind: 'run', call, effects, tool, input, policy, note, decision: undefined } as const
  const refused = (decision: Decision) =>
    settled(
      decision.by === 'person' ? 'denied' : 'forbidden',
      failure('denied', `Not run: ${decision.reason}`),
      decision,
    )
  const askWith = async (reason: string, required: boolean): Promise<Decision> => {
    const preview = (await tool.preview?.(input, { ...turn.toolContext, policy, signal })) ?? []
    return ask(turn, { call, effects, preview, reason, required }, signal)
  }
  switch (verdict.kind) {
    case 'no-sandbox':
      return settled('no-sandbox', failure('sandbox', `Not run: commands cannot run here. ${verdict.reason}`))
    case 'deny':
      return refused({ allowed: false, by: 'rule', reason: verdict.reason })
    case 'allow': {
      if (verdict.asked || !effects.some((effect) => turn.asksBefore?.(effect) ?? false)) return run
      const decision = await askWith('You want to be asked before this.', false)
      return decision.allowed ? { ...run, decision } : refused(decision)
    }
    case 'ask': {
      const decision = await askWith(verdict.reason, true)
      return decision.allowed ? { ...run, policy: widened(policy, effects), decision } : refused(decision)
    }
  }
}

/** Asks whoever is there; nobody being there, or an interruption, is a no. */
async function ask(
  turn: Turn,
  request: Pick<ApprovalRequest, 'call' | 'effects' | 'preview' | 'reason' | 'required'>,
  signal: AbortSignal,
): Promise<Decision> {
  const { call, reason } = request
  if (turn.approve === undefined)
    return { allowed: false, by: 'nobody', reason: `${reason} Nobody can be asked; go on without it.` }
  const stopped = Promise.withResolvers<ApprovalAnswer>()
  const stop = () => stopped.resolve({ allow: false, reason: 'the run was stopped.' })
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  try {
    const asked = turn.approve({ ...request, callId: call.id, name: call.name }, signal)
    const answer = await Promise.race([asked, stopped.promise])
    return answer.allow
      ? { allowed: true, by: 'person', reason }
      : { allowed: false, by: 'person', reason: `the user said no. ${answer.reason}` }
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** One spelling for one file, so that a later success is seen to repair an earlier failure. */
function normalised(effect: Effect, { toolContext }: Turn): Effect {
  if (effect.kind !== 'read' && effect.kind !== 'write') return effect
  try {
    return { ...effect, path: toolContext.workspace.relative(effect.path) }
  } catch {
    // Outside of the root: the tool refuses it and says so.
    return effect
  }
}
