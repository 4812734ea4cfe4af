/** Finds examples of what code should do, wherever they stand: in comments, docstrings, or the words of the task. */
import { assertions } from './asserts.ts'
import { bracketed } from './brackets.ts'
import type { Example } from './example.ts'

/** More than these are not run. */
const most = 40
const longest = 500

/** `names`: functions that a call may begin with. */
export function findExamples(text: string, names: readonly string[]): Example[] {
  const lines = text.replaceAll('\r\n', '\n').split('\n')
  return [...prompts(lines), ...calls(lines, names), ...assertions(text, names), ...pairs(lines)].slice(0, most)
}

/** What may stand before a prompt: space and the marks of a comment or quotation. */
const prompt = /^(\s*(?:(?:#|\/\/|\*|--|>|-)\s+)?[`'"]{0,3})>>>\s(.*)$/

/** The form of Python's doctest, but with the end of a docstring, comment or fence as the end of the output, too. */
function prompts(lines: readonly string[]): Example[] {
  const found: Example[] = []
  for (let at = 0; at < lines.length; at++) {
    const head = prompt.exec(lines[at]!)
    if (head === null) continue
    const lead = head[1]!.replace(/[`'"]+$/, (marks) => ' '.repeat(marks.length))
    const rest = (line: string | undefined): string | undefined => {
      if (line === undefined) return undefined
      // A comment ends where its mark does; in a docstring text may stand further to the left.
      if (!line.startsWith(lead) && lead.trim() !== '') return undefined
      const stripped = line.startsWith(lead) ? line.slice(lead.length) : line.trimStart()
      return /^\s*(?:"""|'''|```|\*\/|-->)?\s*$/.test(stripped) || prompt.test(line) ? undefined : stripped
    }
    const source = [head[2]!]
    while (/^\s*\.\.\.(?:\s|$)/.test(rest(lines[at + 1]) ?? '')) {
      at += 1
      source.push(rest(lines[at])!.replace(/^\s*\.\.\. ?/, ''))
    }
    const want: string[] = []
    for (let line = rest(lines[at + 1]); line !== undefined; line = rest(lines[at + 1])) {
      at += 1
      const end = line.search(/"""|'''/)
      want.push(end < 0 ? line : line.slice(0, end))
      if (end >= 0) break
    }
    found.push({
      source: source.join('\n').replace(/\s*(?:"""|''')\s*$/, ''),
      want: want.join('\n').trim(),
      kind: 'prompt',
    })
  }
  return found
}

const says =
  /^\s*`?\s*(?:->|=>|→|➞|⇒|==+|=|#\s*(?:=>|->|==)?|\/\/\s*(?:=>|->|==)?|(?:should|must) (?:return|be|give|equal)|returns?|gives?|yields?|equals?|is)\s*(\S.*)$/

/** "Currently f(1) returns 2", "AssertionError: f(1) is 2": what such a line says is what is wrong, where it is no demand. */
const complaint =
  /\b(?:currently|at the moment|right now|wrong(?:ly)?|bugs?|instead|\w*errors?|fail(?:s|ed|ing|ures?)?|actual(?:ly)?|but|got)\b/i
const demand = /\bassert\s+$|^\s*`?\s*(?:should|must)\b/

/** `f(1, 2) -> 3`, `assert f(1) == 2`, "f(1) returns 2". Signatures and code fall out later: what they say is no value. */
function calls(lines: readonly string[], names: readonly string[]): Example[] {
  if (names.length === 0) return []
  const found: Example[] = []
  const call = new RegExp(`(?<![\\w.$])(?:${names.map((name) => name.replaceAll('$', '\\$')).join('|')})\\(`, 'g')
  for (const line of lines) {
    if (line.length > longest || /^\s*(?:async\s+)?(?:def|class|function|return|if|while|for|elif)\b/.test(line))
      continue
    if (prompt.test(line)) continue
    const complains = complaint.test(line)
    for (const { index, 0: head } of line.matchAll(call)) {
      const end = bracketed(line, index + head.length)?.end
      if (complains && !demand.test(line.slice(0, index)) && !demand.test(line.slice(end))) continue
      const want = end === undefined ? undefined : says.exec(line.slice(end))?.[1]
      if (want !== undefined) found.push({ source: line.slice(index, end), want: want.trim(), kind: 'call' })
    }
  }
  return found
}

const label = (word: string): RegExp =>
  new RegExp(`^\\W*(?:sample |example )?${word}\\W*?:\\s*\`?(\\S.*?)\`?\\s*$`, 'i')
const inputLabel = label('input')
const outputLabel = label('(?:output|result|returns?)')

/** `Input: 1, 2` and, on one of the next three lines, `Output: 3`. */
function pairs(lines: readonly string[]): Example[] {
  return lines.flatMap((line, at): Example[] => {
    const source = line.length > longest ? undefined : inputLabel.exec(line)?.[1]
    if (source === undefined) return []
    const want = lines.slice(at + 1, at + 4).map((next) => outputLabel.exec(next)?.[1])
    const first = want.find((text) => text !== undefined)
    return first === undefined ? [] : [{ source, want: first, kind: 'pair' }]
  })
}
