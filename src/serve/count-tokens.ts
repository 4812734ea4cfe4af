/** How long a request's prompt is, without an answer to it. */
import type { Model } from '../../engine/index.ts'
import type { ModelRequest } from './model-request.ts'

/** Exact where the model's own tokens are known (embedded), else an estimate. Shaped as Anthropic's endpoint gives it. */
export async function countTokens(
  model: Model,
  { system, tools, messages }: ModelRequest,
): Promise<{ input_tokens: number }> {
  const session = await model.start([
    { name: 'system', messages: [{ role: 'system', text: system, tools }] },
    { name: 'conversation', messages },
  ])
  try {
    return { input_tokens: session.contextTokens }
  } finally {
    await session.close()
  }
}
