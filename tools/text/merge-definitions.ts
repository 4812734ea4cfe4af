/** Puts the functions and classes of an answer into their places in the old file, so that nothing else is touched. */
import { type Definition, definitionsOf, docBlocksOf, indentOf } from './definitions.ts'
import { mainEol, toLf, withEol } from './lines.ts'

/** Lines `start` to `end` (not included), from 0, with the decorators above. */
interface Block {
  readonly name: string
  readonly start: number
  readonly end: number
  readonly indent: number
}

const importLine = /^(?:import\b|from\s+\S+\s+import\b|#\s*include\b|use\s|using\s|(?:const|let|var)\s.*=\s*require\()/

/**
 * `after` is what was meant as the new text of the whole file but holds only some of its definitions. Gives `before` with
 * these in the places of their namesakes (indented like them; a docstring that the new one lacks is kept), new ones
 * after the last of them, and new imports above. Undefined where that cannot be done without a guess: no namesake, several
 * of one name, or other code between the definitions.
 */
export function mergeDefinitions(before: string, after: string): string | undefined {
  const old = toLf(before).split('\n')
  const next = toLf(after).split('\n')
  const blocks = outerBlocks(next)
  const between = next.filter(
    (line, i) => line.trim() !== '' && !blocks.some((block) => i >= block.start && i < block.end),
  )
  const known = new Set(old.map((line) => line.trim()))
  const added = between.filter((line) => !known.has(line.trim()))
  if (!added.every((line) => importLine.test(line))) return undefined
  const homes = allBlocks(old)
  const placed = blocks.map((block) => ({ block, home: homes.filter(({ name }) => name === block.name) }))
  if (placed.some(({ home }) => home.length > 1) || placed.every(({ home }) => home.length === 0)) return undefined
  const merged = put(
    old,
    next,
    placed.map(({ block, home }) => ({ block, home: home[0] })),
  )
  return withEol([...withImports(merged, added)].join('\n'), mainEol(before))
}

function put(
  old: readonly string[],
  next: readonly string[],
  placed: readonly { readonly block: Block; readonly home: Block | undefined }[],
): string[] {
  const result = [...old]
  const homes = placed.flatMap(({ home }) => home ?? [])
  // Where one stands inside of another (a class and its method) the outer one says it all; such a pair is not placed twice.
  const known = placed.filter(
    ({ home }) => home && !homes.some((other) => other.start < home.start && home.end <= other.end),
  )
  const last = known.reduce((a, b) => (a.home!.end > b.home!.end ? a : b))
  for (const { block, home } of known.toSorted((a, b) => b.home!.start - a.home!.start)) {
    const fresh = placed
      .filter((each) => !each.home)
      .flatMap((each) => ['', ...indented(next, each.block, home!.indent)])
    const lines = [
      ...withDocstring(old, home!, indented(next, block, home!.indent)),
      ...(home === last.home ? fresh : []),
    ]
    result.splice(home!.start, home!.end - home!.start, ...lines)
  }
  return result
}

/** The lines of the block, moved to the indentation of its place. */
function indented(lines: readonly string[], block: Block, indent: number): string[] {
  const shift = indent - block.indent
  return lines.slice(block.start, block.end).map((line) => {
    if (shift >= 0) return line.trim() === '' ? line : ' '.repeat(shift) + line
    return indentOf(line) >= -shift ? line.slice(-shift) : line.trimStart()
  })
}

/** With the docstring of the old block, when it has one below its first line and the new block has none. */
function withDocstring(old: readonly string[], home: Block, lines: readonly string[]): string[] {
  const inside = old.slice(home.start, home.end)
  const doc = docstring(inside)
  const signature = signatureEnd(lines)
  if (!doc || docstring(lines) || signature === undefined) return [...lines]
  return [...lines.slice(0, signature), ...inside.slice(doc.start, doc.end), ...lines.slice(signature)]
}

/** The docstring right below a signature that ends with a colon. */
function docstring(lines: readonly string[]): { readonly start: number; readonly end: number } | undefined {
  const start = signatureEnd(lines)
  if (start === undefined || !/^\s*[rRbBuUfF]{0,2}(?:"""|''')/.test(lines[start] ?? '')) return undefined
  const [doc] = docBlocksOf(lines.slice(start).join('\n'))
  return doc?.line === 1 ? { start, end: start + doc.last } : undefined
}

/** Index of the first line after `def f(…):`, which may take several lines; undefined for other languages. */
function signatureEnd(lines: readonly string[]): number | undefined {
  const head = lines.findIndex((line) => /^\s*(?:async\s+)?(?:def|class)\b/.test(line))
  const end = lines.findIndex((line, i) => i >= head && /:\s*(?:#.*)?$/.test(line))
  return head < 0 || end < 0 ? undefined : end + 1
}

function withImports(lines: readonly string[], added: readonly string[]): string[] {
  if (added.length === 0) return [...lines]
  const last = lines.findLastIndex((line) => importLine.test(line))
  const at = last >= 0 ? last + 1 : firstCode(lines)
  return [...lines.slice(0, at), ...added, ...lines.slice(at)]
}

/** Index of the first line below a `#!` line and the comments and docstring at the top. */
function firstCode(lines: readonly string[]): number {
  const [doc] = docBlocksOf(lines.join('\n'))
  const top = lines[0]?.startsWith('#!') ? 1 : 0
  return doc && doc.line <= top + 1 ? doc.last : top
}

/** Blocks that stand in no other block. */
function outerBlocks(lines: readonly string[]): Block[] {
  const outer: Block[] = []
  for (const block of allBlocks(lines)) {
    if (block.start >= (outer.at(-1)?.end ?? 0)) outer.push(block)
  }
  return outer
}

function allBlocks(lines: readonly string[]): Block[] {
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
  return { name, start, end: Math.max(end, docEnd(said, end)), indent }
}

/** The last line of a docstring that reaches over `end`. */
function docEnd(said: readonly { readonly line: number; readonly last: number }[], end: number): number {
  return said.find((block) => block.line <= end && end < block.last)?.last ?? end
}
