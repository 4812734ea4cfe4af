/** SEARCH/REPLACE blocks, as aider made them known: a path line, then `<<<<<<< SEARCH`, `=======`, `>>>>>>> REPLACE`. */
import { type FileOperation, type Hunk, PatchError } from './types.ts'

const search = /^\s*<{5,9} ?SEARCH\s*>?\s*$/
const divider = /^\s*={5,9}\s*$/
const replace = /^\s*>{5,9} ?REPLACE\s*$/

export const hasBlocks = (text: string): boolean => text.split('\n').some((line) => search.test(line))

/** Throws PatchError. `fallbackPath` serves blocks without a path line. */
export function parseBlocks(text: string, fallbackPath?: string): FileOperation[] {
  const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
  const operations: FileOperation[] = []
  let path = fallbackPath
  for (let at = 0; at < lines.length; at++) {
    if (!search.test(lines[at]!)) {
      path = pathBefore(lines, at, path)
      continue
    }
    const middle = lines.findIndex((line, i) => i > at && divider.test(line))
    const end = lines.findIndex((line, i) => i > Math.max(at, middle) && replace.test(line))
    const next = lines.findIndex((line, i) => i > at && search.test(line))
    if (middle < 0 || end < 0 || (next >= 0 && next < end)) {
      throw new PatchError('A SEARCH block needs a line ======= and, at its end, a line >>>>>>> REPLACE.')
    }
    if (!path) throw new PatchError('A SEARCH block needs the path of its file in the line before it.')
    operations.push(blockOperation(path, lines.slice(at + 1, middle), lines.slice(middle + 1, end)))
    at = end
  }
  return operations
}

function blockOperation(path: string, old: readonly string[], next: readonly string[]): FileOperation {
  if (old.every((line) => line.trim() === '')) {
    return { kind: 'add', path, text: next.map((line) => `${line}\n`).join('') }
  }
  const hunk: Hunk = { anchors: [], old, next, atEnd: false }
  return { kind: 'update', path, hunks: [hunk] }
}

const isFence = (line: string): boolean => /^\s*(```|~~~)/.test(line)

/**
 * The path that a block takes from this line, if the line stands right before it or before its fence. Marks of Markdown do
 * not count. A lone word (`Makefile`, but also `Then:`) is a path only where none is known.
 */
function pathBefore(lines: readonly string[], at: number, known: string | undefined): string | undefined {
  if (isFence(lines[at]!)) return known
  const following = lines.slice(at + 1).find((line) => line.trim() !== '' && !isFence(line))
  if (following === undefined || !search.test(following)) return known
  const bare = lines[at]!.trim()
    .replace(/^[#*`>\s]+|[*`:\s]+$/g, '')
    .replace(/^(?:file|path):\s*/i, '')
  if (!/[\p{L}\p{N}]/u.test(bare) || /[<>]/.test(bare)) return known
  const clear = /^[^\s]*\/[^\s]*$|^[^/]*\.[\p{L}\p{N}]+$|^[^\s]+\/.*\.[\p{L}\p{N}]+$/u.test(bare)
  return clear || (known === undefined && !/\s/.test(bare)) ? bare : known
}
