/** Follows what is said, to find the place from which a grammar holds. Bytes are characters here (latin1), as in tokens. */
import type { Trigger } from '../engine.ts'

/** Characters back that a trigger can look at. */
const reach = 500

/** The same expression over the bytes of UTF-8. */
export const overBytes = (source: string): RegExp =>
  new RegExp(`(?:${Buffer.from(source, 'utf8').toString('latin1')})$`)

/** The byte that an expression's match ends with: nothing else needs to be looked at. */
export function lastByte(source: string): string {
  return source.endsWith('\\n') ? '\n' : (Buffer.from(source, 'utf8').toString('latin1').at(-1) ?? '')
}

export class Triggers {
  readonly #triggers: readonly { readonly trigger: Trigger; readonly pattern: RegExp; readonly last: string }[]
  #tail = ''

  constructor(triggers: readonly Trigger[]) {
    this.#triggers = triggers.map((trigger) => ({
      trigger,
      pattern: overBytes(trigger.after),
      last: lastByte(trigger.after),
    }))
  }

  /** The trigger that would be complete within a token's text, its words, and how much of that text belongs to it. */
  find(piece: string): { readonly trigger: Trigger; readonly words: string; readonly length: number } | undefined {
    for (let length = 1; length <= piece.length; length++) {
      const byte = piece[length - 1]
      for (const { trigger, pattern, last } of this.#triggers) {
        const found = byte === last ? pattern.exec(this.#tail + piece.slice(0, length)) : null
        if (found !== null) return { trigger, words: found[0], length }
      }
    }
    return undefined
  }

  said(piece: string): void {
    this.#tail = (this.#tail + piece).slice(-reach)
  }
}
