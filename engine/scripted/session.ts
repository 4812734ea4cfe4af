/** One conversation with a scripted model. */
import { setImmediate as nextTick, setTimeout as sleep } from 'node:timers/promises'
import type { ReplyEvent } from '../dialect.ts'
import { dialectByName } from '../dialects/index.ts'
import type { Message, ToolSpec } from '../messages.ts'
import type { Checkpoint, ModelEvent, ModelFailure, ModelInfo, ModelSession, RespondOptions, Usage } from '../model.ts'
import { type CallIds, collectReply } from '../session/reply.ts'
import { addUsage, estimateTokens, noUsage } from '../session/usage.ts'
import type { ScriptedReply } from './script.ts'

/** What the sessions of one scripted model share. */
export interface ScriptState {
  readonly info: ModelInfo
  newSession(): number
  reply(session: number, messages: readonly Message[]): Promise<ScriptedReply | undefined>
  exhausted(): string
}

/** Characters a chunk: small enough that a front end sees text grow. */
const chunkLength = 24

/** `cached` is how many tokens of `initial` an earlier request has already shown (forks). */
export function scriptedSession(
  state: ScriptState,
  initial: readonly Message[],
  ids: CallIds,
  cached = 0,
): ModelSession {
  const number = state.newSession()
  let messages = [...initial]
  let evaluated = cached
  let usage = noUsage

  async function* respond(options: RespondOptions): AsyncGenerator<ModelEvent> {
    const promptTokens = contextOf(messages)
    const cachedTokens = Math.min(evaluated, promptTokens)
    const collected = collectReply(ids)
    let generated = ''
    const finish = (stop: 'end' | 'length' | 'aborted', raw?: string): ModelEvent => {
      const spent: Usage = {
        promptTokens,
        cachedTokens,
        evaluatedTokens: promptTokens - cachedTokens,
        generatedTokens: estimateTokens(generated),
        prefillSeconds: 0,
        decodeSeconds: 0,
      }
      usage = addUsage(usage, spent)
      const message = collected.message(raw === undefined ? {} : { raw })
      messages = [...messages, message]
      evaluated = contextOf(messages)
      return { type: 'done', stop, message, usage: spent }
    }
    try {
      if (options.signal.aborted) return yield finish('aborted')
      const reply = await state.reply(number, messages)
      yield { type: 'prefill', done: cachedTokens, total: promptTokens, cached: cachedTokens }
      await pause(reply?.delayMs, options.signal)
      if (options.signal.aborted) return yield finish('aborted')
      yield { type: 'prefill', done: promptTokens, total: promptTokens, cached: cachedTokens }
      if (reply === undefined) return yield failed('bad-reply', state.exhausted(), false)
      const tools = messages.find((message) => message.role === 'system')?.tools ?? []
      let over = false
      let cut = false
      const goesOn = (words: string): boolean => {
        cut ||= options.endless?.(words) === true
        return !over && !cut
      }
      for (const played of play(reply, state.info.dialect, tools, options.files ?? [], goesOn)) {
        if (options.signal.aborted) return yield finish('aborted')
        const event = collected.take(played)
        yield event
        over ||= options.enough?.(event) === true
        generated += event.type === 'call' ? JSON.stringify(event.call) : 'text' in event ? event.text : ''
        // Also without a pause the event loop turns once a chunk, so that a key press or a timer can abort.
        await (reply.chunkMs === undefined ? nextTick() : pause(reply.chunkMs, options.signal))
      }
      if (options.signal.aborted) return yield finish('aborted')
      if (reply.failure !== undefined) {
        const { kind, message, retryable } = reply.failure
        return yield failed(kind, message ?? `The script asked for a failure of kind ${kind}.`, retryable ?? false)
      }
      yield finish(cut ? 'length' : (reply.stop ?? 'end'), reply.raw)
    } catch (error) {
      yield failed('internal', `The script failed: ${error instanceof Error ? error.message : String(error)}`, false)
    }
  }

  return {
    info: state.info,
    get usage() {
      return usage
    },
    get contextTokens() {
      return contextOf(messages)
    },
    async append(added) {
      messages = [...messages, ...added]
    },
    respond,
    async replace(prefix) {
      const next = prefix.flatMap((segment) => segment.messages)
      const same = next.findIndex((message, at) => JSON.stringify(message) !== JSON.stringify(messages[at]))
      evaluated = Math.min(evaluated, contextOf(next.slice(0, same < 0 ? next.length : same)))
      messages = next
      ids.seen(next)
    },
    // The id is the number of messages: all that is needed to come back.
    checkpoint: async (): Promise<Checkpoint> => ({ id: messages.length, tokens: contextOf(messages) }),
    async rewind(checkpoint) {
      messages = messages.slice(0, checkpoint.id)
      evaluated = Math.min(evaluated, contextOf(messages))
    },
    fork: async () => scriptedSession(state, messages, ids.copy(), evaluated),
    close: async () => undefined,
  }
}

function failed(kind: ModelFailure['kind'], message: string, retryable: boolean): ModelEvent {
  return { type: 'error', failure: { kind, message, retryable } }
}

/** Waits, or returns at once when the signal aborts. */
async function pause(ms: number | undefined, signal: AbortSignal): Promise<void> {
  if (ms === undefined) return
  try {
    await sleep(ms, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

function* play(
  reply: ScriptedReply,
  dialect: string,
  tools: readonly ToolSpec[],
  files: readonly string[],
  goesOn: (words: string) => boolean,
): Generator<ReplyEvent> {
  for (const type of ['reasoning', 'text'] as const) {
    for (const text of chunks(reply[type] ?? '')) {
      if (!goesOn(text)) return
      yield { type, text }
    }
  }
  if (reply.raw !== undefined) {
    const parser = dialectByName(reply.dialect ?? dialect).parser({ tools, files })
    for (const text of chunks(reply.raw)) {
      if (!goesOn(text)) break
      yield* parser.push(text)
    }
    yield* parser.end()
  }
  for (const call of reply.calls ?? []) {
    yield { type: 'call-start', name: call.name }
    yield { type: 'call-delta', text: JSON.stringify(call.arguments ?? {}) }
    yield { type: 'call', call: { name: call.name, arguments: call.arguments ?? {} } }
  }
  if (typeof reply.malformed === 'string') {
    yield { type: 'malformed', text: reply.malformed, problem: 'This could not be read as a call.' }
  } else if (reply.malformed !== undefined) {
    yield { type: 'malformed', ...reply.malformed }
  }
}

function* chunks(text: string): Generator<string> {
  let at = 0
  while (at < text.length) {
    let to = at + chunkLength
    // Never between the halves of a surrogate pair: a model's text does not break there either.
    if (/[\uD800-\uDBFF]/.test(text[to - 1] ?? '')) to += 1
    yield text.slice(at, to)
    at = to
  }
}

function contextOf(messages: readonly Message[]): number {
  return messages.reduce((sum, message) => sum + estimateTokens(JSON.stringify(message)), 0)
}
