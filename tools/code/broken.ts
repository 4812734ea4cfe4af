/** What is defined in a part that the grammar gave up on: the heads of what was never closed stand there word by word. */
import type { Node } from 'web-tree-sitter'
import { maxSignature } from './signature.ts'

export interface BrokenHead {
  /** Of the name. */
  readonly node: Node
  readonly name: string
  readonly signature: string
  /** Whether what follows is inside of it. */
  readonly holds: boolean
}

const holding = new Set([
  'class',
  'interface',
  'struct',
  'enum',
  'trait',
  'impl',
  'mod',
  'module',
  'namespace',
  'record',
])
const functions = new Set(['function', 'func', 'fn', 'def'])
const naming = /identifier|^(?:name|constant|generic_type|scoped_type_identifier)$/
const parameters = /^(?:formal_parameters|parameters|parameter_list)$/

/** The head that begins with the name `children[at]`, in an ERROR node that has these children. Undefined: none does. */
export function headAt(children: readonly Node[], at: number): BrokenHead | undefined {
  const node = children[at]
  const before = children[at - 1]
  if (node === undefined || !naming.test(node.type)) return undefined
  const word = before === undefined || before.namedChildCount > 0 ? '' : before.text
  const holds = holding.has(word)
  const isMethod = node.type !== 'generic_type' && parameters.test(children[at + 1]?.type ?? '')
  if (!holds && !functions.has(word) && !isMethod) return undefined
  const { row } = node.startPosition
  let first = at
  while (first > 0 && children[first - 1]?.startPosition.row === row && isWord(children[first - 1])) first -= 1
  return { node, name: node.text, signature: lineFrom(children, first), holds }
}

/** `export`, `async`, `pub`, or what a grammar calls modifiers. */
const isWord = (node: Node | undefined): boolean =>
  node !== undefined && (node.type.endsWith('modifiers') || node.type.endsWith('modifier') || /^\w+$/.test(node.text))

/** The rest of the line from there, without the brace that ends it. */
function lineFrom(children: readonly Node[], first: number): string {
  const row = children[first]?.startPosition.row
  let text = ''
  let end = children[first]?.startIndex ?? 0
  for (const child of children.slice(first)) {
    if (child.startPosition.row !== row || text.length > maxSignature || child.text === '{') break
    text += ' '.repeat(Math.min(1, child.startIndex - end)) + (child.text.split('\n', 1)[0] ?? '')
    end = child.endIndex
    if (child.endPosition.row !== row) break
  }
  return text.replace(/\s*[{:]?\s*$/, '').slice(0, maxSignature)
}
