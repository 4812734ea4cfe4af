import type { GgufHeader } from '../../engine/index.ts'

/** `llama_token_type`: control and user-defined tokens. */
const specialTypes = [3, 4]

/** The ids of a file's special tokens; runs of blanks, which some families keep as user-defined, are plain text. */
export function specialTokens(header: GgufHeader): ReadonlySet<number> {
  const list = (key: string) => {
    const value = header.metadata.get(key)
    if (typeof value !== 'object' || value.values === undefined) throw new Error(`${key} is not in the file`)
    return value.values
  }
  const texts = list('tokenizer.ggml.tokens')
  const special = new Set<number>()
  for (const [id, type] of list('tokenizer.ggml.token_type').entries()) {
    const plain = type === 4 && /^[\s\u2581]*$/u.test(String(texts[id]))
    if (specialTypes.includes(Number(type)) && !plain) special.add(id)
  }
  return special
}
