/** Ends a reply at the first of some tokens or texts, holding back what may be the beginning of one. */

import type { Dialect } from '../dialect.ts'
import type { Engine } from '../engine.ts'

/** What ends a reply besides the model's own end-of-generation tokens, and is no part of it. */
export interface Stops {
  readonly tokens: ReadonlySet<number>
  readonly texts: readonly string[]
  /** The spelling of control tokens that the dialect's parser reads: an engine gives no text for them. */
  readonly marks: ReadonlyMap<number, string>
}

/**
 * A stop text that is a control token is looked for as that token only: the same letters in ordinary tokens are
 * something that the model writes about.
 */
export async function stopsOf(engine: Engine, dialect: Dialect): Promise<Stops> {
  const tokens = new Set<number>()
  const texts: string[] = []
  for (const text of dialect.stop) {
    const [id, ...rest] = await engine.tokenize(text, { control: true })
    const plain = await engine.tokenize(text, { control: false })
    if (id !== undefined && rest.length === 0 && (plain.length !== 1 || plain[0] !== id)) tokens.add(id)
    else texts.push(text)
  }
  const marks = new Map<number, string>()
  for (const text of dialect.marks ?? []) {
    const [id, ...rest] = await engine.tokenize(text, { control: true })
    if (id !== undefined && rest.length === 0) marks.set(id, text)
  }
  return { tokens, texts, marks }
}

export interface StopText {
  /** The text that is safe to show; `stopped` once a stop text was found (it and what follows is dropped). */
  push(chunk: string): string
  /** What was held back when the stream ended by itself. */
  end(): string
  readonly stopped: boolean
}

export function stopText(stops: readonly string[]): StopText {
  let held = ''
  let stopped = false
  return {
    get stopped() {
      return stopped
    },
    push(chunk) {
      if (stopped) return ''
      held += chunk
      const found = stops.map((stop) => held.indexOf(stop)).filter((at) => at !== -1)
      if (found.length > 0) {
        stopped = true
        const text = held.slice(0, Math.min(...found))
        held = ''
        return text
      }
      const wait = Math.max(0, ...stops.map((stop) => overlap(held, stop)))
      const text = held.slice(0, held.length - wait)
      held = held.slice(held.length - wait)
      return text
    },
    end() {
      const text = held
      held = ''
      return text
    },
  }
}

/** Length of the longest beginning of `stop` at the end of `text`. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length -= 1) {
    if (stop.startsWith(text.slice(text.length - length))) return length
  }
  return 0
}
