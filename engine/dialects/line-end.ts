/** The end of the line that a reply is on: a call begins on a line of its own, and what is quoted is no call. */

export interface LineEnd {
  readonly add: (words: string) => void
  /** The next words begin a line. */
  readonly clear: () => void
  /** Nothing but whitespace stands on the line so far. */
  readonly blank: () => boolean
  /** The last character is a quotation mark. */
  readonly quoted: () => boolean
}

/** Characters that are kept: enough to tell a blank line. */
const kept = 200

export function lineEnd(): LineEnd {
  let line = ''
  return {
    add(words) {
      const newline = words.lastIndexOf('\n')
      line = (newline === -1 ? line + words : words.slice(newline + 1)).slice(-kept)
    },
    clear() {
      line = ''
    },
    blank: () => line.trim() === '',
    quoted: () => /["'`]$/.test(line),
  }
}
