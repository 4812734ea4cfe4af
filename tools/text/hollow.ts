/** Functions of an answer in which nothing stands: a model leaves out what it does not change, and says so in many words. */
import { allBlocks, type Block, docstring, signatureEnd } from './blocks.ts'
import { mainEol, toLf, withEol } from './lines.ts'

const comment = /^\s*(?:#|\/\/|\/\*|\*)/
/** The end of a body in braces. */
const closing = /^\s*[})\]]+[;,]?\s*$/
const ellipsis = /^\s*\.\.\.\s*$/

/**
 * `after` with the bodies that `before` has for those of its functions in which nothing but a comment stands ("// …",
 * "# implementation of total"), or `...`. Undefined where there is none such, or which one is meant is a guess.
 */
export function keepHollow(before: string, after: string): string | undefined {
  const old = toLf(before).split('\n')
  const next = toLf(after).split('\n')
  const known = new Set(old.map((line) => line.trim()))
  const homes = allBlocks(old)
  const blocks = allBlocks(next)
  const result = [...next]
  let isKept = false
  for (const block of blocks.toReversed()) {
    const home = homes.filter(({ name }) => name === block.name)
    const twins = blocks.filter(({ name }) => name === block.name)
    const [body, was] = [bodyOf(next, block), home[0] && bodyOf(old, home[0])]
    if (home.length !== 1 || twins.length !== 1 || block.indent !== home[0]!.indent || !body || !was) continue
    const inside = next.slice(body.from, body.to)
    // What is commented out stands there.
    if (!isHollow(inside) || isHollow(old.slice(was.from, was.to)) || inside.some(isOldCode(known))) continue
    result.splice(body.from, body.to - body.from, ...old.slice(was.from, was.to))
    isKept = true
  }
  return isKept ? withEol(result.join('\n'), mainEol(before)) : undefined
}

interface Body {
  readonly from: number
  readonly to: number
}

/** The lines between the signature, with its docstring, and what closes it. */
function bodyOf(lines: readonly string[], { head, end }: Block): Body | undefined {
  const inside = lines.slice(head, end)
  const python = signatureEnd(inside)
  const from = docstring(inside)?.end ?? python ?? inside.findIndex((line) => /\{\s*$/.test(line)) + 1
  if (from === 0 || from >= inside.length) return undefined
  const closed = python === undefined && closing.test(inside.at(-1)!) ? 1 : 0
  return { from: head + from, to: end - closed }
}

const isHollow = (lines: readonly string[]): boolean =>
  lines.some((line) => line.trim() !== '') &&
  lines.every((line) => line.trim() === '' || comment.test(line) || ellipsis.test(line))

const isOldCode =
  (known: ReadonlySet<string>) =>
  (line: string): boolean => {
    const words = line.replace(/^\s*(?:#|\/\/|\/\*|\*)\s*/, '').trim()
    return words !== '' && (known.has(words) || known.has(line.trim()))
  }
