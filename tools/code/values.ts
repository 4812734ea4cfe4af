/** Names that are bound to something other than a function or a class: constants, globals, fields that every object has. */
import type { Node } from 'web-tree-sitter'
import { nameOf, signatureOf } from './signature.ts'

export interface NamedValue {
  readonly name: string
  readonly signature: string
  /** Where it stands. */
  readonly node: Node
}

const constant = /^_?[A-Z][A-Z0-9_]*$/

/** Undefined where the node binds no value; empty where it binds one that nobody looks for. Values are not shown. */
export function valuesOf(node: Node): NamedValue[] | undefined {
  const head = (word = ''): NamedValue[] => {
    const name = nameOf(node)
    return name === undefined
      ? []
      : [{ name, signature: `${word}${signatureOf(node, node, node.childForFieldName('value'))}`, node }]
  }
  switch (node.type) {
    // Go
    case 'const_spec':
      return head('const ')
    case 'var_spec':
      return head('var ')
    // Rust
    case 'const_item':
    case 'static_item':
    case 'associated_type':
      return head()
    // C, C++; a macro without a value is a mark
    case 'preproc_def':
      return node.childForFieldName('value') === null ? [] : head()
    // PHP
    case 'const_declaration':
      return node.namedChildren
        .filter(({ type }) => type === 'const_element')
        .flatMap((one) => named(one.namedChild(0), `const ${one.namedChild(0)?.text ?? ''}`))
    // bash: `readonly`, `export`, `declare`
    case 'declaration_command':
      return node.namedChildren.flatMap((one) =>
        one.type === 'variable_assignment' ? named(one.childForFieldName('name'), one.parent?.child(0)?.text) : [],
      )
    // Python, Ruby
    case 'assignment': {
      const left = node.childForFieldName('left')
      const said = node.childForFieldName('type') !== null || node.childForFieldName('right')?.type === 'lambda'
      if (
        left === null ||
        !(left.type === 'constant' || (left.type === 'identifier' && (said || constant.test(left.text))))
      )
        return []
      return [{ name: left.text, signature: signatureOf(node, node, node.childForFieldName('right')), node }]
    }
    case 'call':
      return accessors(node)
    // Java, C#, C++: of all objects together
    case 'field_declaration':
    case 'event_field_declaration':
      return sharedFields(node)
    // C, C++
    case 'declaration':
      return globals(node)
    default:
      return undefined
  }
}

/** `word`: what stands before the name. */
function named(node: Node | null, word: string | undefined): NamedValue[] {
  if (node === null) return []
  const signature = word === undefined || word.endsWith(node.text) ? (word ?? node.text) : `${word} ${node.text}`
  return [{ name: node.text, signature, node }]
}

/** Ruby's `attr_reader :name`, `define_method(:name)`, `scope :name`. */
function accessors(node: Node): NamedValue[] {
  const method = node.childForFieldName('method')?.text ?? ''
  const several = /^attr_(?:reader|writer|accessor)$/.test(method)
  if (!several && !/^(?:define_method|scope|delegate)$/.test(method)) return []
  const symbols = (node.childForFieldName('arguments')?.namedChildren ?? []).filter(
    ({ type }) => type === 'simple_symbol',
  )
  return (several ? symbols : symbols.slice(0, 1)).map((symbol) => ({
    name: symbol.text.slice(1),
    signature: `${method} ${symbol.text}`,
    node: symbol,
  }))
}

function sharedFields(node: Node): NamedValue[] {
  const inner = node.namedChildren.find(({ type }) => type === 'variable_declaration') ?? node
  const declarators = inner.namedChildren.filter(({ type }) => type === 'variable_declarator')
  const first = declarators[0] ?? node.childForFieldName('declarator')
  if (first === undefined || first === null) return []
  const before = node.text.slice(0, first.startIndex - node.startIndex)
  const shared =
    /\bstatic\b/.test(before) || (inner !== node && /\bconst\b/.test(before)) || node.type.startsWith('event')
  if (!shared) return []
  if (declarators.length === 0) {
    const name = nameOf(node)
    return name === undefined
      ? []
      : [{ name, signature: signatureOf(node, node, node.childForFieldName('default_value')), node }]
  }
  return declarators.map((one) => {
    const name = nameOf(one) ?? one.text
    return { name, signature: `${signatureOf(node, node, first)} ${name}`, node: one }
  })
}

/** Variables of a file or namespace; `node.declarator` may be many. */
function globals(node: Node): NamedValue[] {
  const declarators = node.childrenForFieldName('declarator').filter((one) => one !== null)
  const [first] = declarators
  if (first === undefined) return []
  const head = signatureOf(node, node, first)
  return declarators.flatMap((one) => {
    const plain = one.type === 'init_declarator' ? one.childForFieldName('declarator') : one
    if (plain === null) return []
    const name = plain.text.match(/[A-Za-z_]\w*/g)?.find((word) => word !== 'const' && word !== 'volatile')
    return name === undefined
      ? []
      : [{ name, signature: `${head} ${plain.text.replace(/\s+/g, ' ').slice(0, 80)}`, node: one }]
  })
}
