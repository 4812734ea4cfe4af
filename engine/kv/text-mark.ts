/** By what it is told whether a saved reading holds a certain text; made and looked for in mark.ts. */

/** Of the tokens of a text, wherever in a reading they stand. */
export interface TextMark {
  /** The first of them, to find where they begin. */
  readonly first: readonly number[]
  /** SHA-256 (the first 32 hex digits) of the first 256 tokens, of 512 and so on, and of all of them. */
  readonly digests: readonly string[]
  /** How many there are. */
  readonly tokens: number
}
