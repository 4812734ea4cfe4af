/** Completion at the cursor: paths after `@`, commands after `/`. Pure: the candidates are given. */
import fuzzysort from 'fuzzysort'
import { type Editor, replace } from '../editor/editor.ts'

export interface Suggestion {
  /** What is put in the place of the token. */
  readonly insert: string
  readonly label: string
  readonly help: string
}

/** What stands at the cursor and could be completed: its place in the text and the words after the mark. */
export interface Token {
  readonly kind: 'path' | 'command' | 'argument'
  readonly from: number
  readonly to: number
  readonly query: string
  /** For an argument: the command before it. */
  readonly command?: string
}

/** The token that ends at the cursor, or undefined. */
export function tokenAt({ text, cursor }: Pick<Editor, 'text' | 'cursor'>): Token | undefined {
  const before = text.slice(0, cursor)
  const command = /^\/([\w-]*)$/.exec(before)
  if (command !== null) return { kind: 'command', from: 0, to: cursor, query: command[1] ?? '' }
  const argument = /^\/([\w-]+) +(\S*)$/.exec(before)
  if (argument !== null) {
    const query = argument[2] ?? ''
    return { kind: 'argument', from: cursor - query.length, to: cursor, query, command: argument[1] ?? '' }
  }
  const path = /(?:^|[\s([{,])@("?)([^\s"]*)$/.exec(before)
  if (path === null) return undefined
  const query = path[2] ?? ''
  // A range is being typed behind a whole path: nothing to complete any more.
  if (/:\d*(-\d*)?$/.test(query)) return undefined
  return { kind: 'path', from: cursor - query.length - 1 - (path[1] ?? '').length, to: cursor, query }
}

const most = 50

/** Paths that fit, best first; without a query, the first as they come. */
export function suggestPaths(query: string, paths: readonly string[]): Suggestion[] {
  const found =
    query === ''
      ? paths.slice(0, most)
      : fuzzysort.go(query, paths as string[], { limit: most, threshold: 0.2 }).map((match) => match.target)
  return found.map((path) => ({
    insert: /\s/.test(path) ? `@"${path}" ` : `@${path}${path.endsWith('/') ? '' : ' '}`,
    label: path,
    help: '',
  }))
}

export interface Named {
  readonly name: string
  readonly help: string
}

/** Commands that begin with the query, then those that hold its letters in order. */
export function suggestNames(query: string, names: readonly Named[], mark: string): Suggestion[] {
  const wanted = query.toLowerCase()
  const starts = names.filter(({ name }) => name.startsWith(wanted))
  starts.sort((a, b) => Number(b.name === wanted) - Number(a.name === wanted))
  const rest = names.filter((one) => !starts.includes(one))
  const fuzzy =
    wanted === '' ? [] : fuzzysort.go(wanted, rest, { key: 'name', threshold: 0.3 }).map((match) => match.obj)
  return [...starts, ...fuzzy].map(({ name, help }) => ({ insert: `${mark}${name} `, label: mark + name, help }))
}

/** The editor with the suggestion in the token's place. */
export const accept = (editor: Editor, token: Token, suggestion: Suggestion): Editor =>
  replace(editor, token.from, token.to, suggestion.insert)

/** What is open under the editor: the suggestions and which one is marked. */
export interface Completion {
  readonly token: Token
  readonly suggestions: readonly Suggestion[]
  readonly at: number
  /** Whether the mark was moved by a key: then it is a choice, not a guess. */
  readonly moved: boolean
}

export const step = (completion: Completion, by: 1 | -1): Completion => ({
  ...completion,
  moved: true,
  at: (completion.at + by + completion.suggestions.length) % completion.suggestions.length,
})
