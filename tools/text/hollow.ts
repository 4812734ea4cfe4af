/** Functions of an answer in which nothing stands: a model leaves out what it does not change, and says so in many words. */
import { allBlocks, type Block, docstring, signatureEnd } from './blocks.ts'
import { mainEol, toLf, withEol } from './lines.ts'

/** In a language of braces a `#` that is close to a word is a private member, an attribute or a directive. */
const comments = {
  python: /^\s*#/,
  braces: /^\s*(?:\/\/|#\s(?!\s*(?:include|define|undef|if|ifn?def|el\w+|endif|pragma|error)\b))/,
}
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
  const homes = onlyOnes(bodiesOf(old))
  const result: string[] = []
  let at = 0
  for (const body of onlyOnes(bodiesOf(next)).values()) {
    const was = homes.get(body.name)
    if (was === undefined || was.indent !== body.indent || body.from < at) continue
    const inside = next.slice(body.from, body.to)
    // What is commented out stands there.
    if (!isHollow(inside, body) || isHollow(old.slice(was.from, was.to), was) || inside.some(isOldCode(known))) continue
    result.push(...next.slice(at, body.from), ...old.slice(was.from, was.to))
    at = body.to
  }
  return at === 0 ? undefined : withEol([...result, ...next.slice(at)].join('\n'), mainEol(before))
}

/** The lines between the signature, with its docstring, and what closes it. */
interface Body extends Pick<Block, 'name' | 'indent'> {
  readonly from: number
  readonly to: number
  readonly language: keyof typeof comments
}

/** Of what looks like a definition and has no lines of its own (`total: money(x),`) there is none. */
function bodiesOf(lines: readonly string[]): Body[] {
  return allBlocks(lines).flatMap(({ name, indent, head, end }): Body[] => {
    const inside = lines.slice(head, end)
    const python = signatureEnd(inside)
    const from = docstring(inside)?.end ?? python ?? inside.findIndex((line) => /\{\s*$/.test(line)) + 1
    if (from === 0 || from >= inside.length) return []
    const closed = python === undefined && closing.test(inside.at(-1)!) ? 1 : 0
    const language = python === undefined ? 'braces' : 'python'
    return [{ name, indent, language, from: head + from, to: end - closed }]
  })
}

/** By their names, in their order, those whose name no other one has. */
function onlyOnes(bodies: readonly Body[]): Map<string, Body> {
  const named = new Map<string, Body>()
  const twice = new Set<string>()
  for (const body of bodies) {
    if (named.has(body.name)) twice.add(body.name)
    named.set(body.name, body)
  }
  for (const name of twice) named.delete(name)
  return named
}

function isHollow(lines: readonly string[], { language }: Body): boolean {
  let open = false
  let isEmpty = true
  for (const line of lines) {
    const words = line.trim()
    isEmpty &&= words === ''
    if (!open && words.startsWith('/*')) open = true
    if (open) {
      const close = words.indexOf('*/')
      if (close < 0) continue
      open = false
      if (close + 2 < words.length) return false
    } else if (words !== '' && !comments[language].test(line) && !ellipsis.test(line)) return false
  }
  return !isEmpty
}

const isOldCode =
  (known: ReadonlySet<string>) =>
  (line: string): boolean => {
    const words = line.replace(/^\s*(?:#|\/\/|\/\*|\*)\s*/, '').trim()
    return words !== '' && (known.has(words) || known.has(line.trim()))
  }
