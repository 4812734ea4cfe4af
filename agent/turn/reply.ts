/** Hears one reply of the model to its end. */
import type { AssistantMessage, ModelEvent, ModelFailure, Usage } from '../../engine/index.ts'
import type { AgentEvent } from '../events.ts'
import { endless } from './endless.ts'
import { enough } from './enough.ts'
import type { Turn } from './turn.ts'
import { follow } from './work.ts'

export type Reply =
  | {
      readonly kind: 'whole'
      readonly message: AssistantMessage
      readonly stop: 'end' | 'length' | 'aborted'
      /** What could not be read as a call, told back to the model. */
      readonly problems: readonly string[]
      /**
       * Id of a call at the very end of a reply that was cut by its length: a parser settles what is open when the text
       * ends, so this call may be half of what was meant.
       */
      readonly cutCall: string | undefined
    }
  /** `begun`: something of the reply was heard before it broke off; nothing of it is in the conversation. */
  | { readonly kind: 'failed'; readonly failure: ModelFailure; readonly begun: boolean }
  /** The reply was cut off by the signal and has not even ended; the conversation settles it later. */
  | { readonly kind: 'left' }

/** Asks for a reply and passes its events on as they stream. Does not throw for anything that the model did. */
export async function* hearReply(
  turn: Turn,
  options: { readonly signal: AbortSignal; readonly maxTokens: number; readonly spent: (usage: Usage) => void },
): AsyncGenerator<AgentEvent, Reply> {
  const problems: string[] = []
  let previous: ModelEvent | undefined
  let cutCall: string | undefined
  let reply: Reply | undefined
  let begun = false

  const stopsAt = await enough(turn)
  const isEndless = await endless(turn)
  let circles = false
  const respond = async (tell: (event: ModelEvent) => void) => {
    const events = turn.conversation.respond({
      enough: stopsAt,
      endless: (words) => {
        circles ||= isEndless?.(words) === true
        return circles
      },
      signal: options.signal,
      maxTokens: options.maxTokens,
      sampling: turn.sampling,
      logprobs: turn.certainty !== undefined,
      files: turn.filesInPlay(),
      folder: { path: turn.toolContext.workspace.root, seen: [...(turn.toolContext.seen?.keys() ?? [])] },
    })
    for await (const event of events) tell(event)
  }
  const leave = (rest: Promise<unknown>) => turn.conversation.leaveBehind(rest)
  let ended = false
  for await (const step of follow(respond, { signal: options.signal, leave })) {
    if (step.kind === 'end') {
      ended = true
      continue
    }
    const event = step.progress
    switch (event.type) {
      case 'prefill':
        yield event
        break
      case 'reasoning':
      case 'text':
      case 'call-start':
      case 'call-delta':
        begun = true
        yield event
        break
      case 'malformed':
        problems.push(event.problem)
        yield event
        break
      case 'notice':
        yield { type: 'notice', level: 'info', text: event.text }
        break
      case 'call':
        // Announced when it runs, with its effects.
        break
      case 'logprobs':
        for (const { logprob } of event.tokens) turn.certainty?.add(logprob)
        break
      case 'done':
        options.spent(event.usage)
        if (event.stop === 'length' && previous?.type === 'call') cutCall = previous.call.id
        reply = { kind: 'whole', message: event.message, stop: event.stop, problems, cutCall }
        yield { type: 'usage', usage: event.usage }
        if (circles) yield { type: 'notice', level: 'info', text: 'The reply went in circles and was cut there.' }
        break
      case 'error':
        reply = { kind: 'failed', failure: event.failure, begun }
        break
    }
    if (event.type !== 'logprobs' && event.type !== 'notice') previous = event
  }
  if (!ended) return { kind: 'left' }
  if (reply !== undefined) return reply
  const message = 'The model ended its reply without saying so. Report this with the session log.'
  return { kind: 'failed', failure: { kind: 'bad-reply', message, retryable: false }, begun }
}
