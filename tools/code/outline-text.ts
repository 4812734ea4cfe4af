/** An outline as data, and as a model reads it. */

export interface OutlineEntry {
  /** From 1. */
  readonly line: number
  /** 0 at the top, 1 for a member of what stands above, and so on. */
  readonly depth: number
  readonly name: string
  /** On one line, without the body. */
  readonly signature: string
}

/** `12: class A`, members indented by two spaces each. */
export const renderOutline = (entries: readonly OutlineEntry[]): string =>
  entries.map(({ line, depth, signature }) => `${line}: ${'  '.repeat(depth)}${signature}`).join('\n')
