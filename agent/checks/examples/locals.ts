/**
 * What a test gives to names before it asserts something, put in the place of these names: `word = "abc"` and then
 * `assertEqual(f(word), 3)` say `f("abc")` should give 3.
 */

import { bracketed, statementEnd } from './brackets.ts'

/** Where a test begins: text before it belongs to another. */
const header = /^[ \t]*(?:(?:async\s+)?def\s+\w+|(?:export\s+)?(?:async\s+)?function\b|(?:it|test)(?:\.\w+)?\()/gm
/** A line that gives a name a value. Spaces around the mark tell it from an argument that is named. */
const assignment = /^[ \t]*(?:(?:const|let|var)\s+)?([A-Za-z_$][\w$]*)(?:\s*:[^=\n]+)?[ \t]+=[ \t]+/gm
/** A value that nothing can change by using it. */
const plain = /^(?:["'\d([{-]|True\b|False\b|None\b|true\b|false\b|null\b)/
const asserts = /^[ \t]*(?:self\.)?(?:assert|expect)/
/** A value made of it. */
const taken = /^[ \t]*(?:(?:const|let|var)\s+)?[A-Za-z_$][\w$]*[ \t]+=[ \t]+[^=]/
/** More text than this before an assertion is not looked at. */
const longest = 3000

/**
 * Gives back what replaces the names in an expression at index `at` of a text. Only names whose value cannot have become another
 * until there: one that stands in a further statement between is left as it is.
 */
export function withLocals(text: string, at: number): (expression: string) => string {
  const before = text.slice(Math.max(0, text.lastIndexOf('\n', at - 1)))
  const lineStart = text.length - before.length
  const near = text.slice(Math.max(0, lineStart - longest), lineStart)
  const block = near.slice([...near.matchAll(header)].at(-1)?.index ?? 0)
  const values = new Map<string, string>()
  for (const { index, 0: head, 1: name = '' } of block.matchAll(assignment)) {
    const end = statementEnd(block, index + head.length)
    const value = block
      .slice(index + head.length, end)
      .trim()
      .replace(/;$/, '')
    values.delete(name)
    if (value === '' || value.endsWith(',')) continue
    if (isUsed(name, block.slice(end), plain.test(value))) continue
    values.set(name, enclosed(replaced(value, values)))
  }
  return (expression) => replaced(expression, values)
}

/** Whether something between may have changed it. What is plain may be looked at by other assertions. */
function isUsed(name: string, between: string, isPlain: boolean): boolean {
  const word = new RegExp(`(?<![\\w$])${name.replaceAll('$', '\\$')}(?![\\w$])`)
  return between.split('\n').some((line) => word.test(line) && !(isPlain && (asserts.test(line) || taken.test(line))))
}

const strings = String.raw`"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|${'`'}(?:\\.|[^${'`'}\\])*${'`'}`
const names = new RegExp(`(${strings})|(?<![\\w$.])([A-Za-z_$][\\w$]*)(?!\\s*=(?!=))`, 'g')

const replaced = (expression: string, values: ReadonlyMap<string, string>): string =>
  expression.replace(names, (found, _: string | undefined, name: string | undefined) =>
    name === undefined ? found : (values.get(name) ?? found),
  )

/** So that something may follow it: a name, a text, and what one pair of brackets ends stand by themselves. */
function enclosed(value: string): string {
  const open = /^[\w$.]*[([{]/.exec(value)?.[0]
  const rest = open === undefined ? undefined : value.slice(bracketed(value, open.length)?.end)
  const alone = rest === undefined ? /^(?:[\w$.]+|"[^"\\\n]*"|'[^'\\\n]*')$/.test(value) : /^(?:\.[\w$]+)*$/.test(rest)
  return alone ? value : `(${value})`
}
