/** How a family of models writes calls as XML-like tags: what its tags are for. */
import type { TagGrammar } from './tag-reader.ts'

/** What a tag is for. `call` stands around one or more calls, `function` names one, `key` and `value` are an argument. */
export type XmlRole =
  | { readonly type: 'think' | 'call' | 'key'; readonly close: boolean }
  | { readonly type: 'function' | 'value'; readonly close: boolean; readonly name?: string }

export interface XmlCalls {
  readonly grammar: TagGrammar
  readonly role: (tag: string) => XmlRole
  /** Whether a value stands on lines of its own: one newline at each end is not part of it. */
  readonly ownLines: boolean
  /** Whether the words after the opening tag are the tool's name. */
  readonly nameFirst: boolean
}
