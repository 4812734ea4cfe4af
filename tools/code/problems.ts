/** Where a grammar cannot read a text. */
import type { Node } from 'web-tree-sitter'

export interface SyntaxProblem {
  /** From 1. */
  readonly line: number
  readonly message: string
}

/** More are counted by nobody. */
const maxProblems = 50
const maxQuote = 60

/** In the order of the text. Empty: the text can be read. */
export function problemsOf(root: Node): SyntaxProblem[] {
  const problems: SyntaxProblem[] = []
  const pending: Node[] = [root]
  for (let node = pending.pop(); node !== undefined && problems.length < maxProblems; node = pending.pop()) {
    if (!node.hasError && !node.isMissing) continue
    const line = node.startPosition.row + 1
    if (node.isMissing) problems.push({ line, message: `${quoted(node.type)} is missing` })
    else if (node.isError) problems.push({ line, message: unreadable(node) })
    else pending.push(...node.children.filter((child) => child !== null).reverse())
  }
  return problems
}

function unreadable(node: Node): string {
  const words = node.text.split('\n', 1)[0]?.trim() ?? ''
  return words === '' ? 'syntax error' : `syntax error at ${quoted(words)}`
}

const quoted = (text: string): string => (text.length > maxQuote ? `\`${text.slice(0, maxQuote)}…\`` : `\`${text}\``)
