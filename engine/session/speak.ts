/** The model's part of a turn: tokens to text, text to events, up to whatever ends it. */
import type { Sequence } from '../engine.ts'
import type { ToolSpec } from '../messages.ts'
import type { ModelEvent, RespondOptions } from '../model.ts'
import { grammarOf } from './call-grammar.ts'
import type { EmbeddedModel } from './embedded-model.ts'
import { isKind } from './failure.ts'
import { stopText } from './stop-text.ts'
import type { Turn } from './turn.ts'

export interface Speaking {
  readonly model: EmbeddedModel
  readonly tools: readonly ToolSpec[]
  /** Holds the turn's prompt but for its last token. */
  readonly sequence: Sequence
  readonly turn: Turn
  readonly signal: AbortSignal
}

/** Samples a reply, reads it as it comes, and leaves in the turn what it has come to. Throws EngineError. */
export async function* speak(
  { model, tools, sequence, turn, signal }: Speaking,
  options: RespondOptions,
): AsyncGenerator<ModelEvent> {
  const parser = model.dialect.parser({ tools, files: options.files ?? [] })
  const { tokens: stopTokens, texts, marks: spelled } = await model.stops()
  const shown = stopText(texts)
  const room = model.engine.info.contextTokens - turn.prompt.length
  const maxTokens = Math.min(options.maxTokens, room)
  let ended = false
  try {
    const stream = sequence.generate(turn.prompt.at(-1)!, {
      sampling: { ...model.sampling, ...options.sampling },
      maxTokens,
      signal,
      logprobs: options.logprobs,
      stopTokens: [...stopTokens],
      grammar: grammarOf(model.dialect, tools, options.folder),
      onEnd: (counts) => {
        turn.counts = counts
      },
    })
    for await (const { token, text, end, logprob } of stream) {
      if (turn.sampled.length === 0) {
        yield { type: 'prefill', done: turn.prompt.length, total: turn.prompt.length, cached: turn.cached }
      }
      if (stopTokens.has(token)) {
        ended = true
        break
      }
      turn.sampled.push(token)
      const words = text === '' && !end ? (spelled.get(token) ?? '') : text
      turn.raw += words
      if (logprob !== undefined) yield { type: 'logprobs', tokens: [{ token, logprob, text: words }] }
      ended = end || shown.stopped
      for (const parsed of parser.push(shown.push(words))) {
        const event = turn.reply.take(parsed)
        yield event
        if (options.enough?.(event) === true) ended = true
      }
      if (ended || signal.aborted || options.endless?.(words) === true) break
    }
  } catch (error) {
    // Both leave what was sampled; the rest is told by `stop`.
    if (!(isKind(error, 'aborted') && signal.aborted) && !isKind(error, 'context-full')) throw error
  }
  const problem = turn.counts?.grammarProblem
  if (problem !== undefined) yield { type: 'notice', text: `Calls were not held to their form: ${problem}.` }
  turn.stop = ended ? 'end' : signal.aborted ? 'aborted' : 'length'
  for (const event of [...parser.push(shown.end()), ...parser.end()]) {
    // Of an aborted reply nothing is done any more; what was held back of its words is still shown.
    if (turn.stop !== 'aborted' || event.type === 'text' || event.type === 'reasoning') yield turn.reply.take(event)
  }
}
