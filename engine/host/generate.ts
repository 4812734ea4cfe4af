/** The decode loop: evaluate a token and what may follow it, pick, tell the client in small bundles. */
import { EngineError } from '../engine.ts'
import { rowsOf } from './anchored-rows.ts'
import type { Context } from './context.ts'
import { Drafts } from './drafts.ts'
import { TokenHistory } from './history.ts'
import type { Answers, GenerateRequest, TokensEvent } from './protocol.ts'
import { logProbability, makeSampler } from './sampler.ts'

/**
 * Tokens are told at most this often (ms). The client wakes for each message, and on a machine whose cores all decode,
 * every thread of the library waits for the one it has taken the core from: at 10 ms two cores lost 4 ms of each 34 ms token.
 */
const bundleMs = 50

/** Every token but the final one is in the cache at the end. */
export async function generate(
  context: Context,
  id: number,
  request: GenerateRequest,
  signal: AbortSignal,
  send: (event: TokensEvent) => void,
): Promise<Omit<Answers['generate'], 'length'>> {
  const { slot, sampling, maxTokens, grammar } = request
  const { vocabulary } = context.model
  if (!vocabulary.has(request.last)) throw new EngineError('misuse', `${request.last} is not a token of this model`)
  const sampler = makeSampler(context.library, {
    context: context.handle,
    vocabulary,
    sampling,
    stopTokens: request.stopTokens,
    ...(grammar && { grammar }),
  })
  const stops = new Set(request.stopTokens)
  const drafts = makeDrafts(context, request)
  const bundle = makeBundle(context, id, send, stops)
  const counts = () => ({
    drafted: drafts?.drafted ?? 0,
    accepted: drafts?.accepted ?? 0,
    batchCosts: context.costs.table,
    grammarProblem: sampler.problem,
  })
  let token = request.last
  let doubtful = false
  context.speakers++
  try {
    const rows = await rowsOf(context, slot)
    for (let made = 0; made < maxTokens; ) {
      const room = Math.min(maxTokens - made - 1, context.sequenceTokens - context.length(slot) - 1)
      const alone = context.speakers === 1
      if (!alone) rows.forget()
      // A pick that was in doubt is made without a draft.
      const draft = doubtful ? [] : (drafts?.propose(token, Math.min(room, context.mostDrafted), rows.exact) ?? [])
      if (alone && draft.length > 0) await rows.mix()
      const said: number[] = []
      doubtful = false
      const tokens = [token, ...draft]
      await context.step(slot, tokens, signal, (logits, place) => {
        for (let i = 0; i <= draft.length; i++) {
          doubtful = !rows.exact && !sampler.sure(logits, place + i)
          if (doubtful) break
          const picked = sampler.pick(logits, place + i)
          said.push(picked)
          bundle.add(picked, request.logprobs ? logProbability(logits.read(place + i), picked) : undefined)
          if (bundle.ended || picked !== draft[i]) break
        }
        return said.length
      })
      drafts?.learn(draft.length, said)
      await rows.add(tokens.slice(0, said.length))
      if (doubtful) {
        bundle.flush()
        drafts?.rewritten(await rows.rewrite(signal))
      }
      made += said.length
      token = said.at(-1) ?? token
      if (bundle.ended) return { reason: 'end', ...counts() }
      if (performance.now() - bundle.sent >= bundleMs) bundle.flush()
    }
    return { reason: 'length', ...counts() }
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'aborted') return { reason: 'aborted', ...counts() }
    throw error
  } finally {
    context.speakers--
    bundle.flush()
    sampler.free()
  }
}

function makeDrafts(context: Context, { slot, hints, speculate }: GenerateRequest): Drafts | undefined {
  if (!speculate || context.mostDrafted === 0) return undefined
  let other: TokenHistory | undefined
  if (hints && hints.length > 0) {
    other = new TokenHistory()
    other.become(hints)
  }
  return new Drafts(context.slots.history(slot), other, context)
}

/** Gathers tokens and their text for one message. */
function makeBundle(context: Context, id: number, send: (event: TokensEvent) => void, stops: ReadonlySet<number>) {
  const { vocabulary } = context.model
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let tokens: number[] = []
  let texts: string[] = []
  let logprobs: number[] = []
  const bundle = {
    /** The first token is told at once. */
    sent: Number.NEGATIVE_INFINITY,
    ended: false,
    add(token: number, logprob: number | undefined) {
      bundle.ended = vocabulary.isEnd(token) || stops.has(token)
      const hidden = bundle.ended || vocabulary.isControl(token)
      // At the end what is left of an unfinished character comes out as U+FFFD.
      texts.push(
        hidden
          ? decoder.decode(undefined, { stream: !bundle.ended })
          : decoder.decode(vocabulary.piece(token), { stream: true }),
      )
      tokens.push(token)
      if (logprob !== undefined) logprobs.push(logprob)
    },
    flush() {
      if (tokens.length > 0) send({ type: 'tokens', id, tokens, texts, logprobs, end: bundle.ended })
      tokens = []
      texts = []
      logprobs = []
      bundle.sent = performance.now()
    },
  }
  return bundle
}
