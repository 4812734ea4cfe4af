/** What the thread is asked, and what it answers. */
import type { OutlineEntry } from './outline-text.ts'
import type { SyntaxProblem } from './problems.ts'

export type CodeRequest =
  | { readonly kind: 'outline'; readonly path: string; readonly text: string }
  | { readonly kind: 'problems'; readonly path: string; readonly text: string }
  | { readonly kind: 'references'; readonly path: string; readonly text: string; readonly name: string }
  | { readonly kind: 'rank'; readonly root: string; readonly paths: readonly string[] }
  /** Puts on disk what is to be kept. */
  | { readonly kind: 'flush' }

/** Undefined: no grammar for this file, or it took too long. */
export interface CodeAnswers {
  readonly outline: readonly OutlineEntry[] | undefined
  readonly problems: readonly SyntaxProblem[] | undefined
  /** Lines on which the name is used as a name. */
  readonly references: readonly number[] | undefined
  /** Path → how much the others lean on it; the sum of all is 1. */
  readonly rank: ReadonlyMap<string, number>
  readonly flush: undefined
}
