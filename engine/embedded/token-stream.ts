/** One generation of the host as a stream of tokens. */
import { EngineError, type GenerateCounts, type GeneratedToken } from '../engine.ts'
import type { GenerateRequest, TokensEvent } from '../host/protocol.ts'
import type { HostProcess } from './host-process.ts'

export interface TokenStream {
  /** Ends with the generation; throws EngineError when that failed or was stopped. */
  readonly tokens: AsyncGenerator<GeneratedToken, void, void>
  /** What is left when it is over: tokens in the host, and what was drafted. Undefined after a failure. Never rejects. */
  readonly settled: Promise<{ readonly length: number; readonly counts: GenerateCounts } | undefined>
}

/** Asks at once; the signal stops the host. */
export function streamTokens(host: HostProcess, request: GenerateRequest, signal: AbortSignal): TokenStream {
  const events: TokensEvent[] = []
  let wake: () => void = () => undefined
  let finished = false
  const onTokens = (event: TokensEvent): void => {
    events.push(event)
    wake()
  }
  const answer = host.request(request, { onTokens }, signal)
  const settled = answer
    .then(
      ({ length, drafted, accepted, batchCosts, grammarProblem }) => ({
        length,
        counts: { drafted, accepted, batchCosts, ...(grammarProblem !== undefined && { grammarProblem }) },
      }),
      () => undefined,
    )
    .finally(() => {
      finished = true
      wake()
    })

  async function* tokens(): AsyncGenerator<GeneratedToken, void, void> {
    while (true) {
      const event = events.shift()
      if (event) {
        for (const [i, token] of event.tokens.entries()) {
          const end = event.end && i === event.tokens.length - 1
          const logprob = request.logprobs ? { logprob: event.logprobs[i] ?? 0 } : {}
          yield { token, text: event.texts[i] ?? '', end, ...logprob }
        }
      } else if (finished) break
      else
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
    const { reason } = await answer
    if (reason === 'aborted') throw new EngineError('aborted', 'stopped')
  }
  return { tokens: tokens(), settled }
}
