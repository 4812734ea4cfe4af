/**
 * A file without what its functions do, for a small model that is to write them anew: what it is shown it gives back, fault
 * included, and of a file that it does not see it writes its own.
 */

const braces = /\.(?:[cm]?[jt]sx?|java|go|rs|c|cc|cpp|h|hpp|cs|kt|swift|php|scala|dart)$/i
/** Lines of a function that nobody has written yet. */
const nothing =
  /^\s*(?:(?:#|\/\/).*|pass|\.\.\.|raise NotImplementedError\b.*|throw new Error\(.*|todo!\(.*|unimplemented!\(.*)?$/

/** More than this a small model does not write anew; in characters. */
const longest = 4000

/** Declarations, docstrings and all that is in no function stay. Undefined where nothing of a function is left out, or its language is another. */
export function withoutBodies(path: string, text: string): string | undefined {
  const bodyOf = /\.pyi?$/i.test(path) ? pythonBody : braces.test(path) ? bracedBody : undefined
  if (bodyOf === undefined || text.length > longest) return undefined
  const lines = text.split('\n')
  const kept: string[] = []
  let left = 0
  for (let at = 0; at < lines.length; at++) {
    kept.push(lines[at]!)
    const body = bodyOf(lines, at)
    if (body === undefined || lines.slice(body.from, body.to).every((line) => nothing.test(line))) continue
    kept.push(...lines.slice(at + 1, body.from), body.mark)
    left += 1
    at = body.to - 1
  }
  return left === 0 ? undefined : kept.join('\n')
}

/** Indexes of lines, the last not included, and what stands for them. */
interface Body {
  readonly from: number
  readonly to: number
  readonly mark: string
}

const indentOf = (line: string): number => line.length - line.trimStart().length
const isBlank = (line: string | undefined): boolean => line?.trim() === ''

function pythonBody(lines: readonly string[], at: number): Body | undefined {
  if (!/^\s*(?:async\s+)?def\s/.test(lines[at]!)) return undefined
  const indent = indentOf(lines[at]!)
  let from = at
  while (from < lines.length && !/:\s*(?:#.*)?$/.test(lines[from]!)) from += 1
  from += 1
  let to = from
  while (to < lines.length && (isBlank(lines[to]) || indentOf(lines[to]!) > indent)) to += 1
  while (to > from && isBlank(lines[to - 1])) to -= 1
  if (to <= from) return undefined
  const inner = ' '.repeat(indentOf(lines[from]!))
  const quotes = /^\s*[rR]?("""|''')/.exec(lines[from]!)?.[1]
  if (quotes !== undefined) {
    const first = lines[from]!
    if (first.indexOf(quotes, first.indexOf(quotes) + 3) < 0) {
      do from += 1
      while (from < to && !lines[from]!.includes(quotes))
    }
    from += 1
  }
  return from < to ? { from, to, mark: `${inner}...` } : undefined
}

const control =
  /^\s*(?:\}\s*)?(?:if|for|while|switch|catch|else|do|try|with|class|interface|enum|struct|impl|trait|namespace|module|describe|match)\b/

/** As a formatter leaves it: `{` at the end of the line, `}` at the same depth as the line. */
function bracedBody(lines: readonly string[], at: number): Body | undefined {
  const head = lines[at]!
  if (!/[({[]?.*\).*\{\s*$/.test(head) || control.test(head)) return undefined
  const indent = indentOf(head)
  let to = at + 1
  while (to < lines.length && (isBlank(lines[to]) || indentOf(lines[to]!) > indent)) to += 1
  if (!/^\s*\}/.test(lines[to] ?? '')) return undefined
  const inner = lines.slice(at + 1, to).find((line) => !isBlank(line))
  return inner === undefined ? undefined : { from: at + 1, to, mark: `${' '.repeat(indentOf(inner))}// …` }
}
