/** The decode loop: evaluate a token, pick the next, tell the client in small bundles. */
import { EngineError } from '../engine.ts'
import type { Context } from './context.ts'
import type { GenerateRequest, TokensEvent } from './protocol.ts'
import { logProbability, makeSampler } from './sampler.ts'

/** Tokens are told at most this often (ms): a message for each would cost more than a small model's token. */
const bundleMs = 10

export type Reason = 'end' | 'length' | 'aborted'

/** Every token but the final one is in the cache at the end. */
export async function generate(
  context: Context,
  id: number,
  request: GenerateRequest,
  signal: AbortSignal,
  send: (event: TokensEvent) => void,
): Promise<Reason> {
  const { slot, sampling, maxTokens } = request
  const { vocabulary } = context.model
  if (!vocabulary.has(request.last)) throw new EngineError('misuse', `${request.last} is not a token of this model`)
  const sampler = makeSampler(context.library, context.handle, vocabulary.size, sampling)
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let tokens: number[] = []
  let texts: string[] = []
  let logprobs: number[] = []
  let sent = performance.now()
  const flush = (end: boolean) => {
    if (tokens.length > 0) send({ type: 'tokens', id, tokens, texts, logprobs, end })
    tokens = []
    texts = []
    logprobs = []
    sent = performance.now()
  }
  let token = request.last
  try {
    for (let made = 0; made < maxTokens; made++) {
      token = await context.step(slot, token, signal, (logits) => {
        const picked = sampler.pick(logits)
        if (request.logprobs) logprobs.push(logProbability(logits.read(), picked))
        return picked
      })
      const end = vocabulary.isEnd(token)
      const hidden = end || vocabulary.isControl(token)
      // At the end what is left of an unfinished character comes out as U+FFFD.
      texts.push(
        hidden
          ? decoder.decode(undefined, { stream: !end })
          : decoder.decode(vocabulary.piece(token), { stream: true }),
      )
      tokens.push(token)
      if (end) {
        flush(true)
        return 'end'
      }
      if (performance.now() - sent >= bundleMs) flush(false)
    }
    return 'length'
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'aborted') return 'aborted'
    throw error
  } finally {
    flush(false)
    sampler.free()
  }
}
