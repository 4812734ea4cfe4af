/** How long a streamed answer is, where the server does not keep to the limit of tokens that it was given. */
import type { Chunk } from './wire.ts'

/** So many characters are more than that many tokens: text and code have about four each, and seldom more than twelve. */
export const mostCharacters = (tokens: number): number => 1024 + 16 * tokens

export function charactersIn(chunk: Chunk): number {
  const said = (chunk.choices ?? []).map((choice) => {
    const { reasoning_content: content, reasoning, content: text } = choice.delta ?? choice.message ?? {}
    return (content ?? reasoning ?? '').length + (text ?? '').length
  })
  const calls = deltasOf(chunk).map((delta) => (delta.function?.arguments ?? '').length)
  return [...said, ...calls].reduce((sum, length) => sum + length, 0)
}

export function deltasOf(chunk: Chunk) {
  return chunk.choices?.flatMap((choice) => (choice.delta ?? choice.message)?.tool_calls ?? []) ?? []
}
