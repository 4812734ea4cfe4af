import { sanitizeLine } from './sanitize.ts'
import type { Style } from './screen.ts'

/** A unified diff for the screen: sanitised, one colour a kind of line (the first character says the same). */
export function paintDiff(diff: string, style: Style): string {
  let inHunk = false
  const lines = diff.replace(/\n$/, '').split('\n')
  return lines
    .map((raw) => {
      const line = sanitizeLine(raw.replace(/\r$/, ''))
      if (line.startsWith('@@')) {
        inHunk = true
        return style.cyan(line)
      }
      if (!inHunk) return style.bold(line)
      if (line.startsWith('+')) return style.green(line)
      if (line.startsWith('-')) return style.red(line)
      return line
    })
    .join('\n')
}

/** Lines added and removed by a unified diff of one file. */
export function countDiff(diff: string): { readonly added: number; readonly removed: number } {
  let added = 0
  let removed = 0
  let inHunk = false
  for (const line of diff.split('\n')) {
    if (line.startsWith('@@')) inHunk = true
    else if (inHunk && line.startsWith('+')) added += 1
    else if (inHunk && line.startsWith('-')) removed += 1
  }
  return { added, removed }
}
