/** Where a name is used, as a name: not in comments, not in texts. */
import type { Node } from 'web-tree-sitter'
import { identifier } from './shapes.ts'

/** Lines from 1, ascending, each once. */
export function linesNaming(root: Node, name: string): number[] {
  const lines = new Set<number>()
  const cursor = root.walk()
  try {
    for (;;) {
      if (cursor.gotoFirstChild()) continue
      if (identifier.test(cursor.nodeType) && bare(cursor.nodeText) === name) lines.add(cursor.startPosition.row + 1)
      while (!cursor.gotoNextSibling()) if (!cursor.gotoParent()) return [...lines].sort((a, b) => a - b)
    }
  } finally {
    cursor.delete()
  }
}

/** `#field` and `$variable` are asked for without their marks, too. */
const bare = (text: string): string => text.replace(/^[#$@]+/, '')
