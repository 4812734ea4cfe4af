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
  const homes = bodiesOf(old)
  const bodies = bodiesOf(next)
  const result = [...next]
  let isKept = false
  for (const body of bodies.toReversed()) {
    const [was, ...others] = homes.filter(({ name }) => name === body.name)
    const twins = bodies.filter(({ name }) => name === body.name)
    if (was === undefined || others.length > 0 || twins.length > 1 || was.indent !== body.indent) continue
    const inside = next.slice(body.from, body.to)
    // What is commented out stands there.
    if (!isHollow(inside) || isHollow(old.slice(was.from, was.to)) || inside.some(isOldCode(known))) continue
    result.splice(body.from, body.to - body.from, ...old.slice(was.from, was.to))
    isKept = true
  }
  return isKept ? withEol(result.join('\n'), mainEol(before)) : undefined
}

/** The lines between the signature, with its docstring, and what closes it. */
interface Body extends Pick<Block, 'name' | 'indent'> {
  readonly from: number
  readonly to: number
}

/** Of what looks like a definition and has no lines of its own (`total: money(x),`) there is none. */
function bodiesOf(lines: readonly string[]): Body[] {
  return allBlocks(lines).flatMap(({ name, indent, head, end }) => {
    const inside = lines.slice(head, end)
    const python = signatureEnd(inside)
    const from = docstring(inside)?.end ?? python ?? inside.findIndex((line) => /\{\s*$/.test(line)) + 1
    if (from === 0 || from >= inside.length) return []
    const closed = python === undefined && closing.test(inside.at(-1)!) ? 1 : 0
    return [{ name, indent, from: head + from, to: end - closed }]
  })
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
