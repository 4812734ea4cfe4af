/**
 * A file without what its functions do, for a small model that is to write them anew: what it is shown it gives back, fault
 * included, and of a file that it does not see it writes its own.
 */
import { allBlocks, docstring, signatureEnd } from './blocks.ts'
import { indentOf } from './definitions.ts'

const python = /\.pyi?$/i
const braces = /\.(?:[cm]?[jt]sx?|java|go|rs|c|cc|cpp|h|hpp|cs|kt|swift|php|scala|dart)$/i
/** Heads whose `{` opens no function: what only controls, and what holds functions. */
const control = /^\s*(?:\}\s*)?(?:if|for|while|switch|catch|else|do|try|with|match|describe|suite)\b/
const holder = /\b(?:class|interface|enum|struct|impl|trait|namespace|module|object|protocol|record|union|type)\b/
/** Lines of a function that nobody has written yet. */
const nothing =
  /^\s*(?:(?:#|\/\/).*|pass|\.\.\.|raise NotImplementedError\b.*|throw new Error\(.*|todo!\(.*|unimplemented!\(.*)?$/

/** More than this a small model does not write anew; in characters. */
const longest = 4000

/**
 * Declarations, docstrings and all that is in no function stay. Undefined where nothing of a function is left out, its
 * language is another, or the file is longer than a small model writes.
 */
export function withoutBodies(path: string, text: string): string | undefined {
  const bodiesOf = python.test(path) ? pythonBodies : braces.test(path) ? bracedBodies : undefined
  if (bodiesOf === undefined || text.length > longest) return undefined
  const lines = text.split('\n')
  const kept: string[] = []
  let at = 0
  for (const { from, to, mark } of bodiesOf(lines)) {
    // Of functions in functions the outer one is left out.
    if (from < at || lines.slice(from, to).every((line) => nothing.test(line))) continue
    kept.push(...lines.slice(at, from), mark)
    at = to
  }
  return at === 0 ? undefined : [...kept, ...lines.slice(at)].join('\n')
}

/** Indexes of lines, the last not included, and what stands for them. */
interface Body {
  readonly from: number
  readonly to: number
  readonly mark: string
}

const isBlank = (line: string): boolean => line.trim() === ''

function pythonBodies(lines: readonly string[]): Body[] {
  return allBlocks(lines).flatMap(({ head, end }): Body[] => {
    const inside = lines.slice(head, end)
    const first = /^\s*(?:async\s+)?def\s/.test(inside[0] ?? '') ? signatureEnd(inside) : undefined
    if (first === undefined || first >= inside.length) return []
    const from = docstring(inside)?.end ?? first
    const inner = ' '.repeat(indentOf(inside[first]!))
    return from < inside.length ? [{ from: head + from, to: end, mark: `${inner}...` }] : []
  })
}

/** As a formatter leaves them: a signature's last line ends in `{`, and `}` stands at the same depth. */
function bracedBodies(lines: readonly string[]): Body[] {
  return lines.flatMap((head, at): Body[] => {
    if (!/\).*\{\s*$/.test(head) || control.test(head) || holder.test(head.split('(', 1)[0]!)) return []
    const end = lines.findIndex((line, i) => i > at && !isBlank(line) && indentOf(line) <= indentOf(head))
    if (end < 0 || !/^\s*\}/.test(lines[end]!)) return []
    const inner = lines.slice(at + 1, end).find((line) => !isBlank(line))
    return inner === undefined ? [] : [{ from: at + 1, to: end, mark: `${' '.repeat(indentOf(inner))}// …` }]
  })
}
