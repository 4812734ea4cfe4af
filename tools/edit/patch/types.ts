/** What a patch says, whatever format it was written in. */

/** Lines to find and the lines to put there. Both hold the context lines too. */
export interface Hunk {
  /** Lines that stand above the place, outermost first (`@@ class A`). */
  readonly anchors: readonly string[]
  readonly old: readonly string[]
  readonly next: readonly string[]
  /** The place is at the end of the file. */
  readonly atEnd: boolean
  /** Where the patch believes the first old line to be, from 1. A hint only. */
  readonly line?: number
  /** Whether the new text ends with a newline where it ends the file; undefined when the patch does not say. */
  readonly finalNewline?: boolean
}

export type FileOperation =
  | { readonly kind: 'add'; readonly path: string; readonly text: string }
  | { readonly kind: 'delete'; readonly path: string }
  | { readonly kind: 'update'; readonly path: string; readonly moveTo?: string; readonly hunks: readonly Hunk[] }

/** The patch cannot be read. `message` is for the model: what is wrong, in which line, and what to write. */
export class PatchError extends Error {
  override readonly name = 'PatchError'
}
