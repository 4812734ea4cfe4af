/** Tokens of a text that is asked for again and again while it grows: only what is new is given to the tokenizer. */
import type { Engine } from '../engine.ts'

export type Tokenizer = Pick<Engine, 'tokenize'>

/** Shorter texts are tokenised whole each time. */
const shortest = 1000
/** What a reader ahead puts at the end of a text to see how it may go on is shorter than this. */
const margin = 8

/**
 * Keeps the tokens of the last long text up to the last line that has ended for good. Tokens are taken line by line
 * there: pre-tokenizers end a token at a line break that is followed by a word, so they are those of the whole text; with a
 * tokenizer that does otherwise they would be a guess, which is all that reading ahead is.
 */
export function growingTokens(engine: Tokenizer): Tokenizer {
  let known = ''
  let ids: number[] = []
  return {
    async tokenize(text, options) {
      if (options.control || text.length < shortest) return await engine.tokenize(text, options)
      if (!text.startsWith(known)) {
        known = ''
        ids = []
      }
      const from = known.length
      const before = ids
      const settled = lastLine(text, from)
      if (settled === from) return [...before, ...(await engine.tokenize(text.slice(from), options))]
      const grown = [...before, ...(await engine.tokenize(text.slice(from, settled), options))]
      known = text.slice(0, settled)
      ids = grown
      return [...grown, ...(await engine.tokenize(text.slice(settled), options))]
    },
  }
}

/** Where the last line begins whose first character is a word's and is certain; `from` where there is none after it. */
function lastLine(text: string, from: number): number {
  for (let at = text.lastIndexOf('\n', text.length - margin); at >= from; at = text.lastIndexOf('\n', at - 1)) {
    if (/[\p{L}\p{N}]/u.test(text.charAt(at + 1))) return at + 1
    if (at === 0) break
  }
  return from
}
