/** One conversation with a remote model: a list of messages that only grows. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ReplyParser } from '../dialect.ts'
import { withThinking } from '../dialects/think.ts'
import type { AssistantMessage, Message, ToolCall } from '../messages.ts'
import type { Checkpoint, ModelEvent, ModelInfo, ModelSession, RespondOptions, Sampling } from '../model.ts'
import { type CallIds, collectReply } from '../session/reply.ts'
import { addUsage, noUsage } from '../session/usage.ts'
import { type Place, RemoteError } from './errors.ts'
import { exchange } from './exchange.ts'
import { charactersIn, deltasOf, mostCharacters } from './length.ts'
import { type PictureUrls, withPictures } from './pictures.ts'
import type { Price } from './presets.ts'
import { type RetryLimits, retryBudget } from './retry.ts'
import { callAssembly } from './tool-calls.ts'
import { estimate, newTry, type Try, usageOf, withPrice } from './usage.ts'
import { type Chunk, type ReasoningBack, toolsToWire, toWire } from './wire.ts'

export interface RemoteState {
  readonly info: ModelInfo
  readonly url: string
  readonly place: Place
  readonly sampling: Partial<Sampling>
  /** Fields that every request carries: how the server is asked to think. */
  readonly fields: Readonly<Record<string, unknown>>
  readonly reasoning: ReasoningBack
  /** US dollars for a million tokens now; undefined where they are not known. */
  readonly price: (at: Date) => Price | undefined
  readonly idleSeconds: number
  readonly retries: RetryLimits
  /** What this server was found to want, learnt from its refusals. */
  readonly habits: { completionTokens: boolean; streamUsage: boolean }
}

/** `known`: the pictures of the initial messages. */
export function remoteSession(
  state: RemoteState,
  initial: readonly Message[],
  ids: CallIds,
  known: PictureUrls,
): ModelSession {
  let messages = [...initial]
  let urls = known
  let usage = noUsage
  let contextTokens = estimate(messages)

  async function* respond(options: RespondOptions): AsyncGenerator<ModelEvent> {
    const budget = retryBudget(state.retries)
    const began = performance.now()
    for (;;) {
      const attempt = newTry()
      try {
        options.signal.throwIfAborted()
        yield* ask(attempt, options)
        yield finish(attempt, attempt.cut ? 'length' : 'end', began)
        return
      } catch (error) {
        if (options.signal.aborted) {
          yield finish({ ...attempt, calls: [] }, 'aborted', began)
          return
        }
        if (!(error instanceof RemoteError)) {
          const message = `The request failed inside Cachalot: ${error instanceof Error ? error.message : String(error)}`
          yield { type: 'error', failure: { kind: 'internal', message, retryable: false } }
          return
        }
        const learnt = !attempt.shown && learn(error)
        const wait = learnt ? 0 : attempt.shown || !error.again ? undefined : budget.next(error.retryAfterMs)
        if (wait === undefined) {
          yield { type: 'error', failure: error.failure }
          return
        }
        if (!learnt) yield { type: 'notice', text: `${error.message} Asking again in ${(wait / 1000).toFixed(1)} s.` }
        await pause(wait, options.signal)
      }
    }
  }

  async function* ask(attempt: Try, options: RespondOptions): AsyncGenerator<ModelEvent> {
    const collected = collectReply(ids)
    const content = withThinking(verbatim())
    const calls = callAssembly()
    const request = {
      url: state.url,
      place: state.place,
      body: bodyOf(options),
      signal: options.signal,
      idleSeconds: state.idleSeconds,
    }
    const most = mostCharacters(options.maxTokens)
    let characters = 0
    for await (const chunk of exchange(request)) {
      characters += charactersIn(chunk)
      for (const event of [...textOf(chunk, content), ...deltasOf(chunk).flatMap((delta) => calls.add(delta))]) {
        attempt.firstAt ??= performance.now()
        attempt.shown = true
        if (event.type === 'text') attempt.text += event.text
        if (event.type === 'reasoning') attempt.reasoning += event.text
        yield collected.take(event)
      }
      attempt.usage = chunk.usage ?? attempt.usage
      attempt.cut ||= chunk.choices?.some((choice) => choice.finish_reason === 'length') ?? false
      // A server that does not count would go on for as long as it likes.
      if (characters > most) {
        attempt.cut = true
        break
      }
    }
    for (const event of content.end()) {
      if (event.type === 'text') attempt.text += event.text
      if (event.type === 'reasoning') attempt.reasoning += event.text
      yield collected.take(event)
    }
    for (const made of calls.end(attempt.cut)) {
      attempt.shown = true
      if ('problem' in made) yield { type: 'malformed', text: made.text, problem: made.problem }
      else {
        const call: ToolCall = { id: uniqueId(made.id, attempt.calls), name: made.name, arguments: made.arguments }
        attempt.calls.push(call)
        yield { type: 'call', call }
      }
    }
  }

  /** The server's id, unless it gave none or one that is taken. */
  function uniqueId(id: string, now: readonly ToolCall[]): string {
    const taken = (wanted: string) =>
      now.some((call) => call.id === wanted) ||
      messages.some((message) => message.role === 'assistant' && message.calls.some((call) => call.id === wanted))
    if (id !== '' && id.length <= 256 && !taken(id)) return id
    let own = ids.next()
    while (taken(own)) own = ids.next()
    return own
  }

  /** Everything that may change comes after the messages are known not to: model, tools, settings, then messages. */
  function bodyOf(options: RespondOptions): string {
    const tools = toolsToWire(messages)
    const { temperature, topP, seed } = { ...state.sampling, ...options.sampling }
    const { completionTokens, streamUsage } = state.habits
    return JSON.stringify({
      model: state.place.model,
      stream: true,
      ...(streamUsage ? { stream_options: { include_usage: true } } : {}),
      [completionTokens ? 'max_completion_tokens' : 'max_tokens']: options.maxTokens,
      temperature,
      top_p: topP,
      seed,
      ...state.fields,
      ...(tools.length === 0 ? {} : { tools }),
      messages: messages
        .map((message) => toWire(message, state.reasoning, urls))
        .filter((message) => message !== undefined),
    })
  }

  /** A refusal that names a field which this server does not know: asked again without it, once. */
  function learn(error: RemoteError): boolean {
    const { habits } = state
    if (error.failure.kind !== 'refused') return false
    if (!habits.completionTokens && /max_completion_tokens/.test(error.message)) {
      habits.completionTokens = true
      return true
    }
    if (habits.streamUsage && /stream_options|include_usage/.test(error.message)) {
      habits.streamUsage = false
      return true
    }
    return false
  }

  function finish(attempt: Try, stop: 'end' | 'length' | 'aborted', began: number): ModelEvent {
    const { text, reasoning, calls } = attempt
    const message: AssistantMessage = { role: 'assistant', reasoning, text, calls }
    const spent = withPrice(usageOf(attempt, messages, began), state.price(new Date()))
    usage = addUsage(usage, spent)
    if (text !== '' || calls.length > 0) messages = [...messages, message]
    contextTokens = spent.promptTokens + spent.generatedTokens
    return { type: 'done', stop, message, usage: spent }
  }

  return {
    info: state.info,
    get usage() {
      return usage
    },
    get contextTokens() {
      return contextTokens
    },
    async append(added) {
      urls = await withPictures(urls, added)
      messages = [...messages, ...added]
      ids.seen(added)
      contextTokens += estimate(added)
    },
    respond,
    async replace(prefix) {
      messages = prefix.flatMap((segment) => segment.messages)
      ids.seen(messages)
      contextTokens = estimate(messages)
    },
    // The number of messages is all that is needed to come back.
    checkpoint: async (): Promise<Checkpoint> => ({ id: messages.length, tokens: contextTokens }),
    async rewind(checkpoint) {
      messages = messages.slice(0, checkpoint.id)
      contextTokens = checkpoint.tokens
    },
    fork: async () => remoteSession(state, messages, ids.copy(), urls),
    close: async () => undefined,
  }
}

function textOf(chunk: Chunk, content: ReplyParser) {
  return (chunk.choices ?? []).flatMap((choice) => {
    const said = choice.delta ?? choice.message
    const reasoning = said?.reasoning_content ?? said?.reasoning ?? ''
    return [
      ...(reasoning === '' ? [] : [{ type: 'reasoning' as const, text: reasoning }]),
      ...(said?.content == null || said.content === '' ? [] : content.push(said.content)),
    ]
  })
}

/** A server's content is text as it is, to its last newline: so it stands in the server's own cache. */
function verbatim(): ReplyParser {
  return { push: (text) => (text === '' ? [] : [{ type: 'text', text }]), end: () => [] }
}

/** Returns at once when the signal aborts; the caller looks at it. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
