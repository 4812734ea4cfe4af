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

/** What stands at the end of an outline that ends before its text does: too long a file, or too many definitions. */
export const notFrom = (line: number): OutlineEntry => ({
  line,
  depth: 0,
  name: '',
  signature: '… from here on it is not outlined: the file is too long',
})
