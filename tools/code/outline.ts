/** What a file defines: names, signatures, lines. */
import type { Node } from 'web-tree-sitter'
import { headAt } from './broken.ts'
import { dataOutline } from './data-outline.ts'
import { notFrom, type OutlineEntry } from './outline-text.ts'
import { bindings, boundCode, containers, leaves, members, prefixes, wrappers } from './shapes.ts'
import { lineOf, nameOf, signatureOf } from './signature.ts'
import { valuesOf } from './values.ts'

/** Deeper than this nobody looks; hostile nesting is not followed either. */
const maxDepth = 6
const maxEntries = 2000

/** Where a node stands: `outer` is the export or template around it, whose text begins the signature. */
interface Place {
  readonly depth: number
  readonly outer?: Node | undefined
  readonly exported?: boolean
}

/** `more`: the text goes on behind what was parsed. */
export function outlineOf(root: Node, language: string, more: boolean): OutlineEntry[] {
  const { entries, most } = dataOutline(root, language) ?? { entries: definitionsIn(root), most: maxEntries }
  const last = entries.at(-1)
  if (entries.length >= most && last !== undefined) return [...entries, notFrom(last.line + 1)]
  return more ? [...entries, notFrom(root.endPosition.row + 1)] : entries
}

function definitionsIn(root: Node): OutlineEntry[] {
  const entries: OutlineEntry[] = []
  const add = (node: Node, depth: number, name: string, signature: string): void => {
    entries.push({ line: lineOf(node), depth, name, signature })
  }

  const visit = (node: Node, place: Place): void => {
    if (node.isError) broken(node, place)
    else
      for (const child of node.namedChildren) {
        if (entries.length >= maxEntries) return
        one(child, place)
      }
  }

  const broken = (node: Node, place: Place): void => {
    const children = node.children.filter((child) => child !== null)
    let { depth } = place
    for (const [at, child] of children.entries()) {
      if (entries.length >= maxEntries) return
      const head = headAt(children, at)
      if (head === undefined) {
        if (child.isNamed) one(child, { depth })
        continue
      }
      add(head.node, depth, head.name, head.signature)
      if (head.holds && depth < maxDepth) depth += 1
    }
  }

  const one = (child: Node, { depth, outer, exported = false }: Place): void => {
    const { type } = child
    const start =
      outer !== undefined && prefixes.has(outer.type) && child.startIndex >= outer.startIndex ? outer : child
    if (child.isError) broken(child, { depth })
    else if (isDefault(child, outer)) {
      add(child, depth, 'default', signatureOf(outer ?? child, child, child.childForFieldName('body')))
      const body = type === 'class' ? child.childForFieldName('body') : null
      if (body !== null) visit(body, { depth: depth + 1 })
    } else if (containers.has(type) && !(type === 'module' && child.childForFieldName('name') === null)) {
      container(child, start, depth)
    } else if (leaves.has(type)) {
      leaf(child, start, depth)
    } else if (bindings.has(type)) {
      binding(child, depth, exported)
    } else if (type === 'declaration' || type === 'field_declaration') {
      if (declaresFunction(child)) add(child, depth, nameOf(child) ?? '', signatureOf(start, child, null))
      else {
        values(child, depth)
        visit(child, { depth, outer, exported })
      }
    } else if (isDeclaration(type)) {
      visit(child, { depth, outer, exported: exported || outer?.type === 'export_statement' })
    } else if (type === 'assignment_expression') {
      assigned(child, depth)
    } else if (!values(child, depth) && wrappers.has(type)) {
      const around = prefixes.has(type) ? (outer ?? child) : undefined
      visit(child, { depth, outer: around, exported: exported || type === 'export_statement' })
      const inside = type === 'foreign_mod_item' ? child.childForFieldName('body') : null
      if (inside !== null && inside.type !== 'declaration_list') visit(inside, { depth })
    }
  }

  const container = (child: Node, start: Node, depth: number): void => {
    const body = child.childForFieldName('body')
    const name = nameOf(child)
    // `struct point p;` only uses the name.
    const shown = name !== undefined && (body !== null || !child.type.endsWith('_specifier'))
    const at = entries.length
    if (shown) add(child, depth, name, signatureOf(start, child, body))
    if (body !== null && depth < maxDepth) visit(body, { depth: name === undefined ? depth : depth + 1 })
    if (shown && body !== null && members.has(body.type) && entries.length === at + 1)
      entries[at] = { ...entries[at]!, signature: signatureOf(start, child, null) }
  }

  const leaf = (child: Node, start: Node, depth: number): void => {
    const name = nameOf(child)
    const body = child.childForFieldName('body') ?? (hasCode.has(child.type) ? child.childForFieldName('value') : null)
    const word = goTypes.has(child.type) ? 'type ' : ''
    const at = entries.length
    if (name !== undefined) add(child, depth, name, `${word}${signatureOf(start, child, body)}`)
    if (child.type !== 'type_spec' && child.type !== 'type_definition') return
    // Methods of Go interfaces; fields are in the signature.
    const type = child.childForFieldName('type')
    if (type?.type !== 'interface_type') return
    visit(type, { depth: depth + 1 })
    if (name !== undefined && entries.length > at + 1)
      entries[at] = { ...entries[at]!, signature: `${word}${signatureOf(start, child, type)} interface` }
  }

  /** Whether the node binds values, which then have their lines; `private def f` and its like bind none. */
  const values = (node: Node, depth: number): boolean => {
    const found = valuesOf(node)
    for (const { name, signature, node: where } of found ?? []) add(where, depth, name, signature)
    if (node.type === 'call' && found?.length === 0) visit(node, { depth })
    return found !== undefined && found.length > 0
  }

  const binding = (node: Node, depth: number, exported: boolean): void => {
    const code = codeIn(node.childForFieldName('value'))
    const name = nameOf(node)
    if (name === undefined || !(code !== undefined || (exported && depth === 0))) return
    const body = code === undefined ? node.childForFieldName('value') : code.childForFieldName('body')
    const declaration = node.parent !== null && isDeclaration(node.parent.type) ? node.parent : node
    // Of several in one declaration the later ones begin with themselves.
    const first =
      declaration === node || declaration.namedChildren.find(({ type }) => bindings.has(type))?.id === node.id
    const outer = exported && declaration.parent?.type === 'export_statement' ? declaration.parent : declaration
    add(node, depth, name, signatureOf(first ? outer : node, node, body))
  }

  /** `exports.name = function`, `Type.prototype.name = …`, and what `module.exports = { … }` holds. */
  const assigned = (node: Node, depth: number): void => {
    const [left, right] = [node.childForFieldName('left'), node.childForFieldName('right')]
    if (left?.type !== 'member_expression' || right === null) return
    if (boundCode.has(right.type)) {
      const name = left.childForFieldName('property')?.text ?? ''
      add(node, depth, name, signatureOf(node, right, right.childForFieldName('body')))
      const body = right.type === 'class' ? right.childForFieldName('body') : null
      if (body !== null) visit(body, { depth: depth + 1 })
    } else if (right.type === 'object' && /^(?:module\.)?exports\b/.test(left.text)) {
      for (const part of right.namedChildren) {
        const code = part.type === 'pair' ? codeIn(part.childForFieldName('value')) : undefined
        const name = part.childForFieldName('key')?.text ?? ''
        if (code !== undefined) add(part, depth, name, signatureOf(part, part, code.childForFieldName('body')))
        else if (part.type === 'method_definition') leaf(part, part, depth)
      }
    }
  }

  visit(root, { depth: 0 })
  return entries
}

/** Whose value is code that is not part of the signature. */
const hasCode: ReadonlySet<string> = new Set(['property_declaration', 'indexer_declaration'])
const goTypes: ReadonlySet<string> = new Set(['type_spec', 'type_alias'])

/** A function or class, also one that is handed to a function at once: `memo(function …)`. */
function codeIn(value: Node | null): Node | undefined {
  if (value === null) return undefined
  if (boundCode.has(value.type)) return value
  if (value.type !== 'call_expression') return undefined
  const first = value.childForFieldName('arguments')?.namedChild(0)
  return first && boundCode.has(first.type) ? first : undefined
}

/** `export default class { … }`, `export default () => …`: without a name of its own. */
const isDefault = (node: Node, outer: Node | undefined): boolean =>
  outer?.type === 'export_statement' && boundCode.has(node.type) && node.childForFieldName('name') === null

const isDeclaration = (type: string): boolean => type === 'lexical_declaration' || type === 'variable_declaration'

/** A prototype of C and C++: a declaration whose declarator, behind pointers, is a function. */
function declaresFunction(node: Node): boolean {
  let declarator = node.childForFieldName('declarator')
  for (let step = 0; declarator !== null && step < maxDepth; step += 1) {
    if (declarator.type === 'function_declarator')
      return declarator.childForFieldName('declarator')?.type !== 'parenthesized_declarator'
    declarator = declarator.childForFieldName('declarator')
  }
  return false
}
