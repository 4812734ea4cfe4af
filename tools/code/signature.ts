/** A definition's name, and its text from the beginning to where the body begins, on one line. */
import type { Node } from 'web-tree-sitter'

/** Longer signatures are cut. In characters. */
export const maxSignature = 160
/** Declarators of C nest; hostile nesting is not followed. */
const maxNesting = 12

export const lineOf = (node: Node): number => (node.childForFieldName('name') ?? node).startPosition.row + 1

/** Undefined for what has none. `A::k` → `k`. */
export function nameOf(node: Node): string | undefined {
  const own =
    node.childForFieldName('name') ??
    (node.type === 'impl_item' ? node.childForFieldName('type') : null) ??
    (node.type === 'field_definition' ? node.childForFieldName('property') : null) ??
    (node.type === 'type_alias_statement' ? node.childForFieldName('left') : null)
  if (own !== null) return last(own.text)
  if (node.type === 'singleton_class') return node.childForFieldName('value')?.text
  if (node.type === 'indexer_declaration') return 'this'
  if (node.type === 'operator_declaration') return 'operator'
  let declarator = node.childForFieldName('declarator')
  for (let step = 0; declarator !== null && step < maxNesting; step += 1) {
    const inner: Node | null = declarator.childForFieldName('declarator')
    if (inner === null) return last(declarator.childForFieldName('name')?.text ?? declarator.text)
    declarator = inner
  }
  return undefined
}

const last = (name: string): string => name.split('::').at(-1) ?? name

const comments = ['comment', 'line_comment', 'block_comment']

/** From the beginning of `start` to the beginning of `body`, else to the end of `node`; without comments and decorators. */
export function signatureOf(start: Node, node: Node, body: Node | null): string {
  const end = body === null ? node.endIndex : body.startIndex
  let from = start.startIndex
  // Decorators and attributes are left out where the grammar keeps them inside.
  for (const child of start.namedChildren) {
    if (child.type !== 'decorator' && child.type !== 'attribute_list' && child.type !== 'attribute_item') break
    from = child.endIndex
  }
  // The whole text is asked for once: offsets are in it.
  const whole = start.text
  const to = Math.min(end, from + 8 * maxSignature)
  let text = whole.slice(from - start.startIndex, to - start.startIndex)
  if (/\/[/*]|#/.test(text)) {
    const found = start.descendantsOfType(comments, start.startPosition, body?.startPosition ?? node.endPosition)
    text = ''
    let at = from
    for (const comment of found) {
      if (comment.startIndex < at || comment.startIndex >= to) continue
      text += `${whole.slice(at - start.startIndex, comment.startIndex - start.startIndex)} `
      at = comment.endIndex
    }
    text += whole.slice(at - start.startIndex, Math.max(at, to) - start.startIndex)
  }
  // Go ends its fields with their lines.
  return oneLine(node.type === 'type_spec' ? text.replace(/([^{\s])\s*\n\s*(?=[^\s}])/g, '$1; ') : text)
}

function oneLine(text: string): string {
  const line = text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/\s*;?\s*\bend$/, '')
    .replace(/\s*\{\s*\}$/, '')
    .replace(/\s*(?:=>|[{=:;])?$/, '')
  return line.length > maxSignature ? `${line.slice(0, maxSignature - 1)}…` : line
}
