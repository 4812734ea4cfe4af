/** Puts the functions and classes of an answer into their places in the old file, so that nothing else is touched. */
import { allBlocks, type Block, docstring, outerBlocks, signatureEnd } from './blocks.ts'
import { docBlocksOf, indentOf } from './definitions.ts'
import { mainEol, toLf, withEol } from './lines.ts'

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
