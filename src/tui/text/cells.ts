/**
 * The width of a text in cells. The library's tables of emoji take some 30 ms to be compiled, so they are left alone until a
 * text needs them; in the bundle Ink measures with this, too (scripts/lighter.ts).
 */
import stringWidth from 'string-width'

/**
 * Characters that take one cell and join with nothing beside them: ASCII, Latin letters, punctuation, arrows, frames, bars
 * and the marks of the interface.
 */
const plain =
  /^[\x20-\x7e\xa1-\xac\xae-\u02ff\u2010-\u2027\u2030-\u203b\u203d-\u2048\u204a-\u205e\u2190-\u2193\u23ce\u2387\u2500-\u259f\u25a0\u2713\u2717\u276f\u2800-\u28ff]*$/

/** Whether each UTF-16 unit of the text is a character of one cell. */
export const isPlain = (text: string): boolean => plain.test(text)

const sequences = /\x1b\[[\d;]*m/g

/** Cells that a text without line breaks takes; colours take none. */
export default function cells(text: string, options?: Parameters<typeof stringWidth>[1]): number {
  if (options !== undefined) return stringWidth(text, options)
  const bare = text.includes('\x1b') ? text.replace(sequences, '') : text
  return isPlain(bare) ? bare.length : stringWidth(text)
}
