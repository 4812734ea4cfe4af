/** Tests that a log complains of, as they are written: what they expect says what the code should do. */
import { isTestPath } from './cheat-patterns.ts'
import { importsOf, speaksOf, textOf } from './imports.ts'
import type { Place } from './places.ts'

/** Lines of a block to each side of the line in question, and of all that is told. */
const reach = 12
const mostLines = 45
const mostFiles = 2
/** Characters of a line that are told. */
const widest = 300

/** The lines around one, up to an empty one on each side. Empty where there is no such line. */
export function blockAt(path: string, line: number, root: string): string {
  const lines = linesOf(root, path)
  const { from, to } = blockOf(lines, line - 1)
  return lines.slice(from, to + 1).join('\n')
}

/** A line may be as long as its file: nobody wrote that for people. */
const linesOf = (root: string, path: string): string[] =>
  textOf(root, path)
    .split('\n')
    .map((line) => line.slice(0, widest))

interface Block {
  readonly from: number
  readonly to: number
}

function blockOf(lines: readonly string[], at: number): Block {
  const isText = (line: string | undefined): boolean => line !== undefined && line.trim() !== ''
  let [from, to] = [at, at]
  while (from > at - reach && isText(lines[from - 1])) from -= 1
  while (to < at + reach && isText(lines[to + 1])) to += 1
  return { from, to }
}

/**
 * For each test file that is complained of, its failing blocks and what they use that stands at the left edge of the same file;
 * what is between them is left out. `line`: the one complained of first.
 */
export function failingTests(
  places: readonly Place[],
  root: string,
): { readonly path: string; readonly line: number; readonly text: string }[] {
  const paths = [...new Set(places.map(({ path }) => path))].filter(isTestPath).slice(0, mostFiles)
  return paths.flatMap((path) => {
    const lines = linesOf(root, path)
    const named = places.flatMap((place) => (place.path === path && place.line <= lines.length ? [place.line - 1] : []))
    if (named.length === 0) return []
    const blocks = named.map((at) => blockOf(lines, at))
    const used = blocks.map(({ from, to }) => lines.slice(from, to + 1).join('\n')).join('\n')
    const imported = new Set(importsOf(path, root).flatMap(({ names }) => names))
    const shared = lines.flatMap((text, at) => {
      const name = defined.exec(text)?.slice(1).find(Boolean)
      return name !== undefined && !imported.has(name) && speaksOf(used, name) ? [blockOf(lines, at)] : []
    })
    return [{ path, line: named[0]! + 1, text: joined(lines, [...shared, ...blocks]) }]
  })
}

/** What is defined at the left edge. */
const defined =
  /^(?:export\s+)?(?:const|let|var|class|(?:async\s+)?function\*?|(?:async\s+)?def)\s+([\w$]+)|^([\w$]+)\s*=(?!=)/

function joined(lines: readonly string[], blocks: readonly Block[]): string {
  const wanted = new Set(blocks.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, n) => from + n)))
  const kept = [...wanted].sort((a, b) => a - b).slice(0, mostLines)
  return kept
    .map((at, n) => `${n > 0 && at > kept[n - 1]! + 1 ? '\n' : ''}${lines[at] ?? ''}`)
    .join('\n')
    .trimEnd()
}
