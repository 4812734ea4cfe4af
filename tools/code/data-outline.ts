/** What stands in a file that defines nothing: keys of JSON and YAML, headings and named parts of HTML, selectors of CSS. */
import type { Node } from 'web-tree-sitter'
import type { OutlineEntry } from './outline-text.ts'

/** Levels of keys that are shown. */
const levels = 2
const maxEntries = 200
const maxText = 120

/** With how many entries it has at most. Undefined for a programming language. */
export function dataOutline(
  root: Node,
  language: string,
): { readonly entries: OutlineEntry[]; readonly most: number } | undefined {
  const entries: OutlineEntry[] = []
  const add = (node: Node, depth: number, name: string, signature = name): void => {
    if (entries.length >= maxEntries) return
    const text = signature.replace(/\s+/g, ' ').trim().slice(0, maxText)
    entries.push({ line: node.startPosition.row + 1, depth, name, signature: text })
  }
  switch (language) {
    case 'json':
      keys(root, 0, new Set(['pair']), add)
      return { entries, most: maxEntries }
    case 'yaml':
      keys(root, 0, new Set(['block_mapping_pair', 'flow_pair']), add)
      return { entries, most: maxEntries }
    case 'css':
      rules(root, 0, add)
      return { entries, most: maxEntries }
    case 'html':
      elements(root, 0, add)
      return { entries, most: maxEntries }
    default:
      return undefined
  }
}

type Add = (node: Node, depth: number, name: string, signature?: string) => void

/** Rules, and those inside of them and of `@media` and its like. */
function rules(node: Node, depth: number, add: Add): void {
  for (const rule of node.namedChildren) {
    const at = rule.type.endsWith('_statement') || rule.type === 'at_rule'
    if (at) add(rule, depth, '', rule.text.slice(0, maxText).split('{')[0])
    else if (rule.type === 'rule_set') add(rule, depth, rule.namedChild(0)?.text ?? '')
    const block = depth + 1 < levels ? rule.namedChildren.find(({ type }) => type === 'block') : undefined
    if (block !== undefined) rules(block, depth + 1, add)
  }
}

function keys(node: Node, depth: number, pairs: ReadonlySet<string>, add: Add): void {
  for (const child of node.namedChildren) {
    if (!pairs.has(child.type)) {
      // Lists are not opened: their items have no names.
      if (!/array|sequence/.test(child.type)) keys(child, depth, pairs, add)
      continue
    }
    const name = (child.childForFieldName('key')?.text ?? '').replace(/^["']|["']$/g, '')
    const value = child.childForFieldName('value')
    const short = value !== null && value.text.length <= 40 && !value.text.includes('\n') ? `: ${value.text}` : ''
    add(child, depth, name, `${name}${short}`)
    if (short === '' && value !== null && depth + 1 < levels) keys(value, depth + 1, pairs, add)
  }
}

/** Depth is cut: generated pages are deep and say little. */
function elements(node: Node, depth: number, add: Add): void {
  if (depth > 40) return
  for (const child of node.namedChildren) {
    if (!child.type.endsWith('element')) continue
    const tag = child.namedChild(0)
    const name = tag?.namedChild(0)?.text ?? ''
    const heading = /^(?:h[1-3]|title)$/i.test(name)
    if (heading || /\s(?:id|name|src)\s*=/.test(tag?.text ?? '')) add(child, 0, name, heading ? child.text : tag?.text)
    if (!heading) elements(child, depth + 1, add)
  }
}
