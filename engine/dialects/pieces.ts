/** Prompt text in pieces: the spellings of special tokens by themselves, everything else as plain text. */
import type { Piece } from '../dialect.ts'

/**
 * A function that cuts text of our own into pieces of which only the special tokens are control text. The rest joins
 * its untrusted neighbours, so that the tokeniser sees the same runs of plain text as with the published encoders, which
 * tokenise the whole prompt at once.
 */
export function speller(specials: readonly string[]): (text: string) => Piece[] {
  const longestFirst = [...specials].sort((a, b) => b.length - a.length)
  const cut = new RegExp(`(${longestFirst.map(escaped).join('|')})`)
  return (text) =>
    text
      .split(cut)
      .map((part, index) => ({ text: part, control: index % 2 === 1 }))
      .filter((piece) => piece.text !== '')
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
