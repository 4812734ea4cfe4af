/** The value of one word of a shell line, where it is known before the line runs. */
import type { Node } from 'web-tree-sitter'

/** Null for a word with an expansion, a pattern or braces in it: what it becomes is seen when it runs. */
export function wordOf(node: Node): string | null {
  switch (node.type) {
    case 'word':
    case 'number':
    case 'variable_name':
      return plainWord(node.text)
    case 'raw_string':
      return node.text.slice(1, -1)
    case 'string':
      if (node.namedChildren.some((child) => child?.type !== 'string_content')) return null
      return node.text.slice(1, -1).replace(/\\([$`"\\\n])/g, (_, kept: string) => (kept === '\n' ? '' : kept))
    case 'concatenation': {
      if (/^[^'"]*[{}]/.test(node.text)) return null
      const parts = node.namedChildren.map((child) => (child === null ? null : wordOf(child)))
      return parts.includes(null) ? null : parts.join('')
    }
    default:
      return null
  }
}

/** Without its backslashes; null where bash would make something else of it. */
function plainWord(text: string): string | null {
  if (text.startsWith('~')) return null
  let value = ''
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at]!
    if (letter === '\\') {
      at += 1
      if (text[at] !== '\n') value += text[at] ?? ''
    } else if (/[*?[\]{}$`]/.test(letter)) return null
    else value += letter
  }
  return value
}
