/** One conversation with an embedded model: what was appended is in the ledger, what was evaluated in the KV cache. */
import { EngineError, type Sequence } from '../engine.ts'
import type { Message } from '../messages.ts'
import type { Checkpoint, ModelEvent, ModelSession, RespondOptions, Usage } from '../model.ts'
import { type SequenceCache, sequenceCache } from './cache.ts'
import { inCallOrder } from './call-order.ts'
import { doubts } from './doubts.ts'
import type { EmbeddedModel } from './embedded-model.ts'
import { evaluate } from './evaluate.ts'
import { contextFull, failureOf, isKind } from './failure.ts'
import { growingTokens } from './growing-tokens.ts'
import type { LedgerMark, TokenLedger } from './ledger.ts'
import { prefetch } from './prefetch.ts'
import { prefixLedger } from './prefix-ledger.ts'
import { readPrefix } from './read-prefix.ts'
import { placesToKeep } from './readings.ts'
import type { CallIds } from './reply.ts'
import { speak } from './speak.ts'
import { messageOf, newTurn, spentOn, type Turn } from './turn.ts'
import { addUsage, noUsage } from './usage.ts'

export interface SessionState {
  readonly ledger: TokenLedger
  readonly ids: CallIds
  readonly cache?: SequenceCache
  readonly marks?: ReadonlyMap<number, LedgerMark>
  /** Lengths at which the segments of the prefix end, ascending: readings are kept there. */
  readonly ends?: readonly number[]
}

export function embeddedSession(model: EmbeddedModel, state: SessionState): ModelSession {
  const { engine, dialect, info, readings } = model
  const { ids } = state
  let { ledger, ends = [] } = state
  const cache = state.cache ?? sequenceCache(engine, readings?.restore)
  const marks = new Map(state.marks)
  const tokenizer = growingTokens(engine)
  let usage = noUsage
  let busy = false
  let nextMark = Math.max(0, ...marks.keys())

  async function append(messages: readonly Message[]): Promise<void> {
    const before = ledger.mark()
    try {
      for (const message of inCallOrder(messages, before.previous)) await ledger.append(message)
    } catch (error) {
      ledger.rewind(before)
      throw error
    }
    ids.seen(messages)
  }

  async function* respond(options: RespondOptions): AsyncGenerator<ModelEvent> {
    if (busy) {
      const message = 'This session is answering already; one reply at a time.'
      yield { type: 'error', failure: { kind: 'internal', message, retryable: false } }
      return
    }
    busy = true
    // Ours besides the caller's: a caller who stops reading has to end the work too.
    const abandon = new AbortController()
    const signal = AbortSignal.any([options.signal, abandon.signal])
    const turn = newTurn(ids)
    let settled = false
    try {
      turn.opening = await ledger.opening()
      turn.prompt = [...ledger.tokens, ...turn.opening]
      if (turn.prompt.length >= engine.info.contextTokens) {
        settled = true
        yield { type: 'error', failure: contextFull(turn.prompt.length + 1, engine.info.contextTokens) }
        return
      }
      if (signal.aborted) turn.stop = 'aborted'
      else {
        const sequence = await cache.align(turn.prompt, options.maxTokens)
        turn.cached = sequence.length
        yield* prefill(sequence, turn, signal, abandon)
        if (turn.stop !== 'aborted') yield* speak({ model, tools: ledger.tools, sequence, turn, signal }, options)
        cache.holds([...turn.prompt, ...turn.sampled])
      }
      const message = messageOf(turn)
      await ledger.reply(turn.opening, turn.sampled, message)
      settled = true
      const spent = spentOn(turn)
      usage = addUsage(usage, spent)
      if (turn.stop !== 'aborted') await noteReading(turn, spent)
      yield { type: 'done', stop: turn.stop, message, usage: spent }
    } catch (error) {
      settled = true
      await cache.forget()
      yield { type: 'error', failure: failureOf(error) }
    } finally {
      if (!settled) {
        abandon.abort()
        await abandoned(turn)
      }
      busy = false
    }
  }

  /** Keeps beginnings of the prompt by a fork, whose saving does not hold up the conversation. */
  async function keep(sequence: Sequence, turn: Turn): Promise<void> {
    const seconds = (performance.now() - turn.began) / 1000
    const places = placesToKeep(ends, turn.cached, seconds).filter(
      (length) => info.rewind === 'free' || length === sequence.length,
    )
    if (readings === undefined || places.length === 0) return
    try {
      readings.keepLater(await sequence.fork(), turn.prompt, places)
    } catch (error) {
      // All sequences are taken: it is kept another time. A dead host is told by what comes next.
      if (!isKind(error, 'misuse')) throw error
    }
  }

  async function noteReading(turn: Turn, spent: Usage): Promise<void> {
    if (readings === undefined) return
    await readings.measured(spent.evaluatedTokens, spent.prefillSeconds)
    if (info.rewind === 'free' && cache.sequence !== undefined) await keep(cache.sequence, turn)
  }

  /** The caller stopped reading: keep what was sampled, as after an abort. */
  async function abandoned(turn: Turn): Promise<void> {
    try {
      await ledger.reply(turn.opening, turn.sampled, messageOf(turn))
    } catch {
      // The engine is gone and nobody listens any more; the reply was not added, so the ledger is whole.
    }
    await cache.forget()
  }

  async function* prefill(
    sequence: Sequence,
    turn: Turn,
    signal: AbortSignal,
    abandon: AbortController,
  ): AsyncGenerator<ModelEvent> {
    const total = turn.prompt.length
    const event = (done: number): ModelEvent => ({ type: 'prefill', done, total, cached: turn.cached })
    yield event(turn.cached)
    const last = total - 1
    // A model that rewinds only to checkpoints is stopped where its state is to be kept.
    const end = ends.at(-1) ?? 0
    const halt = readings !== undefined && info.rewind === 'checkpoint' && end > turn.cached && end < last
    // Turns begin and end here, and the model is asked again from here: places to come back to.
    const checkpoints = [...Array.from(marks.values(), ({ length }) => length), ledger.tokens.length, last]
    let done = turn.cached
    for (const to of halt ? [end, last] : [last]) {
      try {
        for await (const more of evaluate(sequence, turn.prompt.slice(done, to), signal, abandon, checkpoints)) {
          yield event(done + more)
        }
      } catch (error) {
        if (!(isKind(error, 'aborted') && signal.aborted)) throw error
      }
      if (signal.aborted) {
        turn.stop = 'aborted'
        turn.prompt.length = Math.min(total, sequence.length)
        break
      }
      done = to
      if (to === end && halt) await keep(sequence, turn)
    }
    turn.prefilled = performance.now()
  }

  return {
    info,
    get usage() {
      return usage
    },
    get contextTokens() {
      return ledger.tokens.length
    },
    append,
    respond,
    async checkpoint(): Promise<Checkpoint> {
      nextMark += 1
      const id = nextMark
      const mark = ledger.mark()
      marks.set(id, mark)
      return { id, tokens: mark.length }
    },
    async rewind({ id }) {
      const mark = marks.get(id)
      if (mark === undefined) {
        throw new EngineError('misuse', `Checkpoint ${id} is not in this session (any more).`)
      }
      // The cache follows with the next reply: what is the same then needs no second evaluation.
      ledger.rewind(mark)
      for (const [later, { length }] of marks) if (later > id && length > mark.length) marks.delete(later)
    },
    async replace(prefix) {
      const fresh = await prefixLedger(engine, dialect, prefix, ids)
      ledger = fresh.ledger
      ends = fresh.ends
      marks.clear()
    },
    async prefetch(messages, { signal, open }) {
      if (busy) return 0
      busy = true
      try {
        return await prefetch({ engine, ledger, tokenizer, cache, messages, signal, open })
      } finally {
        busy = false
      }
    },
    ...(readings !== undefined && {
      read: (options) => readPrefix({ engine, ledger, ends, cache, readings, ...options }),
    }),
    ...(dialect.fileOpening !== undefined &&
      info.rewind === 'free' && {
        async *doubts(options) {
          if (busy) return
          busy = true
          try {
            const spent = (more: Usage) => {
              usage = addUsage(usage, more)
              options.spent(more)
            }
            yield* doubts({ model, ledger, cache }, { ...options, spent })
          } finally {
            busy = false
          }
        },
      }),
    fork: async () =>
      embeddedSession(model, { ledger: ledger.fork(), ids: ids.copy(), cache: await cache.fork(), marks, ends }),
    close: () => cache.close(),
  }
}
