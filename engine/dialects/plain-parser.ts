/** Reads replies where nothing can be called: a fence or a JSON object is then something that was asked for. */
import type { ReplyParser } from '../dialect.ts'

/** Like the other parsers it leaves out the whitespace that a reply ends with. */
export function plainParser(): ReplyParser {
  let space = ''
  return {
    push(chunk) {
      const whole = space + chunk
      const text = whole.trimEnd()
      space = whole.slice(text.length)
      return text === '' ? [] : [{ type: 'text', text }]
    },
    end: () => [],
  }
}
