/** What a file defines: names, signatures, lines. */
import type { Node } from 'web-tree-sitter'
import { dataOutline } from './data-outline.ts'
import type { OutlineEntry } from './outline-text.ts'
import { bindings, boundCode, containers, leaves, prefixes, wrappers } from './shapes.ts'

/** Longer signatures are cut. In characters. */
const maxSignature = 160
/** Deeper than this nobody looks; hostile nesting is not followed either. */
const maxDepth = 6
const maxEntries = 2000

export function outlineOf(root: Node, language: string): OutlineEntry[] {
  const data = dataOutline(root, language)
  if (data !== undefined) return data
  const entries: OutlineEntry[] = []

  const visit = (node: Node, depth: number, outer: Node | undefined, exported: boolean): void => {
    for (const child of node.namedChildren) {
      if (entries.length >= maxEntries) return
      const { type } = child
      const start =
        outer !== undefined && prefixes.has(outer.type) && child.startIndex >= outer.startIndex ? outer : child
      if (containers.has(type) && !(type === 'module' && child.childForFieldName('name') === null)) {
        const body = child.childForFieldName('body')
        const name = nameOf(child)
        // `struct point p;` only uses the name.
        if (name !== undefined && (body !== null || !type.endsWith('_specifier'))) {
          entries.push({ line: lineOf(child), depth, name, signature: signatureOf(start, child, body) })
        }
        if (body !== null && depth < maxDepth) visit(body, name === undefined ? depth : depth + 1, undefined, false)
      } else if (leaves.has(type)) {
        const name = nameOf(child)
        if (name !== undefined) {
          const body = child.childForFieldName('body')
          entries.push({ line: lineOf(child), depth, name, signature: signatureOf(start, child, body) })
        }
        if (type === 'type_spec' || type === 'type_definition') visitMembers(child, depth)
      } else if (bindings.has(type)) {
        binding(child, depth, exported)
      } else if (isDeclaration(type)) {
        if (declaresFunction(child)) {
          entries.push({
            line: lineOf(child),
            depth,
            name: nameOf(child) ?? '',
            signature: signatureOf(start, child, null),
          })
        } else visit(child, depth, outer, exported || outer?.type === 'export_statement')
      } else if (wrappers.has(type)) {
        visit(child, depth, prefixes.has(type) ? (outer ?? child) : undefined, exported || type === 'export_statement')
      }
    }
  }

  /** Methods of Go interfaces; fields are not listed. */
  const visitMembers = (spec: Node, depth: number): void => {
    const type = spec.childForFieldName('type')
    if (type?.type === 'interface_type') visit(type, depth + 1, undefined, false)
  }

  const binding = (node: Node, depth: number, exported: boolean): void => {
    const value = node.childForFieldName('value')
    const code = value !== null && boundCode.has(value.type)
    const name = nameOf(node)
    if (name === undefined || !(code || (exported && depth === 0))) return
    const body = code ? value.childForFieldName('body') : value
    const declaration = node.parent !== null && isDeclaration(node.parent.type) ? node.parent : node
    const start = exported && declaration.parent?.type === 'export_statement' ? declaration.parent : declaration
    entries.push({ line: lineOf(node), depth, name, signature: signatureOf(start, node, body) })
  }

  visit(root, 0, undefined, false)
  return entries
}

const lineOf = (node: Node): number => (node.childForFieldName('name') ?? node).startPosition.row + 1

const isDeclaration = (type: string): boolean =>
  type === 'declaration' ||
  type === 'field_declaration' ||
  type === 'lexical_declaration' ||
  type === 'variable_declaration'

/** A prototype of C and C++: a declaration whose declarator, behind pointers, is a function. */
function declaresFunction(node: Node): boolean {
  let declarator = node.childForFieldName('declarator')
  for (let step = 0; declarator !== null && step < maxDepth; step += 1) {
    if (declarator.type === 'function_declarator') return true
    declarator = declarator.childForFieldName('declarator')
  }
  return false
}

function nameOf(node: Node): string | undefined {
  const own = node.childForFieldName('name') ?? (node.type === 'impl_item' ? node.childForFieldName('type') : null)
  if (own !== null) return last(own.text)
  let declarator = node.childForFieldName('declarator')
  for (let step = 0; declarator !== null && step < 2 * maxDepth; step += 1) {
    const inner: Node | null = declarator.childForFieldName('declarator')
    if (inner === null) return last(declarator.text)
    declarator = inner
  }
  return undefined
}

/** `A::k` → `k`. */
const last = (name: string): string => name.split('::').at(-1) ?? name

/** From the beginning of `start` to where the body begins, on one line. */
function signatureOf(start: Node, node: Node, body: Node | null): string {
  const end = body === null ? node.endIndex : body.startIndex
  let from = start.startIndex
  // Decorators and attributes are left out where the grammar keeps them inside.
  for (const child of start.namedChildren) {
    if (child.type !== 'decorator' && child.type !== 'attribute_list' && child.type !== 'attribute_item') break
    from = child.endIndex
  }
  // The whole text is asked for once: offsets are in it.
  const text = start.text.slice(
    from - start.startIndex,
    Math.min(end - start.startIndex, from - start.startIndex + 4 * maxSignature),
  )
  const line = text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/\s*(?:=>|[{=:])?$/, '')
  return line.length > maxSignature ? `${line.slice(0, maxSignature - 1)}…` : line
}
