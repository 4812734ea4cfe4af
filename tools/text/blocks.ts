/** The lines that belong to each definition of a source file, found by their indentation, as `definitions.ts` finds their heads. */
import { type Definition, definitionsOf, docBlocksOf, indentOf } from './definitions.ts'

/** Lines `start` to `end` (not included), from 0, with the decorators above; `head`: the line that has the name. */
export interface Block {
  readonly name: string
  readonly start: number
  readonly head: number
  readonly end: number
  readonly indent: number
}

/** Numbers (from 1) of the lines of the definitions with such names. */
export function linesOfDefinitions(text: string, isMeant: (name: string) => boolean): ReadonlySet<number> {
  const lines = new Set<number>()
  for (const { name, start, end } of allBlocks(text.split('\n')))
    if (isMeant(name)) for (let line = start + 1; line <= end; line++) lines.add(line)
  return lines
}

/** Blocks that stand in no other block. */
export function outerBlocks(lines: readonly string[]): Block[] {
  const outer: Block[] = []
  for (const block of allBlocks(lines)) {
    if (block.start >= (outer.at(-1)?.end ?? 0)) outer.push(block)
  }
  return outer
}

/** In the order of their heads; those of methods stand within those of their classes. */
export function allBlocks(lines: readonly string[]): Block[] {
  const text = lines.join('\n')
  const said = docBlocksOf(text)
  return definitionsOf(text).map((definition) => blockOf(lines, definition, said))
}

/** A block ends before the first line that is not deeper than its head, but for lines that only open or close brackets. */
function blockOf(
  lines: readonly string[],
  { name, line, indent }: Definition,
  said: readonly { readonly line: number; readonly last: number }[],
): Block {
  const head = line - 1
  let start = head
  while (start > 0 && indentOf(lines[start - 1]!) === indent && /^\s*(?:@|#\[)/.test(lines[start - 1]!)) start -= 1
  let end = line
  for (let at = line; at < lines.length; at++) {
    const text = lines[at]!
    // Text of a docstring may stand at the left edge.
    const doc = said.find((block) => block.line - 1 < at && at < block.last)
    if (text.trim() === '' || doc) continue
    const bracket = indentOf(text) === indent && /^\s*[})\]{]/.test(text)
    if (indentOf(text) <= indent && !bracket) break
    end = at + 1
    if (bracket && /^\s*\}\s*[;,]?\s*$/.test(text)) break
  }
  return { name, start, head, end: Math.max(end, docEnd(said, end)), indent }
}

/** The last line of a docstring that reaches over `end`. */
function docEnd(said: readonly { readonly line: number; readonly last: number }[], end: number): number {
  return said.find((block) => block.line <= end && end < block.last)?.last ?? end
}

/** The docstring right below a signature that ends with a colon. */
export function docstring(lines: readonly string[]): { readonly start: number; readonly end: number } | undefined {
  const start = signatureEnd(lines)
  if (start === undefined || !/^\s*[rRbBuUfF]{0,2}(?:"""|''')/.test(lines[start] ?? '')) return undefined
  const [doc] = docBlocksOf(lines.slice(start).join('\n'))
  return doc?.line === 1 ? { start, end: start + doc.last } : undefined
}

/** Index of the first line after `def f(…):`, which may take several lines; undefined for other languages. */
export function signatureEnd(lines: readonly string[]): number | undefined {
  const head = lines.findIndex((line) => /^\s*(?:async\s+)?(?:def|class)\b/.test(line))
  const end = lines.findIndex((line, i) => i >= head && /:\s*(?:#.*)?$/.test(line))
  return head < 0 || end < 0 ? undefined : end + 1
}
