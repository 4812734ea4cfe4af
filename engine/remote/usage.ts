/** What a reply cost: as the server told it, and estimated where it told nothing. */
import type { Message, ToolCall } from '../messages.ts'
import type { Usage } from '../model.ts'
import { estimateTokens } from '../session/usage.ts'
import type { Price } from './presets.ts'
import { toWire, type WireUsage } from './wire.ts'

/** One try: what of the reply was seen. */
export interface Try {
  text: string
  reasoning: string
  calls: ToolCall[]
  shown: boolean
  cut: boolean
  usage: WireUsage | undefined
  firstAt: number | undefined
}

export const newTry = (): Try => ({
  text: '',
  reasoning: '',
  calls: [],
  shown: false,
  cut: false,
  usage: undefined,
  firstAt: undefined,
})

/** A guess: servers count a picture as some hundred to some thousand tokens, by its size. */
const pictureTokens = 1000

/** Tokens of messages. */
export function estimate(messages: readonly Message[]): number {
  return messages.reduce((sum, message) => {
    const pictures = message.role === 'user' ? (message.pictures?.length ?? 0) : 0
    return sum + estimateTokens(JSON.stringify(toWire(message) ?? '')) + pictures * pictureTokens
  }, 0)
}

/** What the server told; what it did not tell is estimated. */
export function usageOf(attempt: Try, messages: readonly Message[], began: number): Usage {
  const now = performance.now()
  const told = attempt.usage
  const promptTokens = told?.prompt_tokens ?? estimate(messages)
  const cached = told?.prompt_tokens_details?.cached_tokens ?? told?.prompt_cache_hit_tokens ?? 0
  const cachedTokens = Math.min(cached, promptTokens)
  const written = attempt.text + attempt.reasoning + attempt.calls.map((call) => JSON.stringify(call)).join('')
  return {
    promptTokens,
    cachedTokens,
    evaluatedTokens: promptTokens - cachedTokens,
    generatedTokens: told?.completion_tokens ?? estimateTokens(written),
    prefillSeconds: ((attempt.firstAt ?? now) - began) / 1000,
    decodeSeconds: (now - (attempt.firstAt ?? now)) / 1000,
  }
}

/** With what it costs, where prices are known. */
export function withPrice(usage: Usage, price: Price | undefined): Usage {
  if (price === undefined) return usage
  const million = 1e6
  const hits = (usage.cachedTokens * price.hit) / million
  const misses = (usage.evaluatedTokens * price.miss) / million
  return { ...usage, price: { hits, misses, output: (usage.generatedTokens * price.output) / million } }
}
