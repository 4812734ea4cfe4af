/**
 * Examples in the assertions of a test, as a test's output shows them: `self.assertEqual(f(1), 2)` (unittest),
 * `expect(f(1)).toEqual(2)` (jest, vitest, chai), `assert.deepEqual(f(1), 2)` (Node). Those with `==` are found with the calls.
 */
import { bracketed } from './brackets.ts'
import type { Example } from './example.ts'

/**
 * Names of assertions that two values are equal, as unittest and Node's `assert` have them. Those that mean it loosely (almost, in
 * any order, of any type) are left out: a right answer would be refused.
 */
const compares = /^(?:assert(?:(?:List|Tuple|Set|Dict|MultiLine)?Equals?|Is)|assert\.(?:deep)?(?:strict)?equal)$/i
/** Those of one value: what is looked at, and what that must be. Any value may be true, or false. */
const alone: Readonly<Record<string, readonly [(source: string) => string, string]>> = {
  assertTrue: [(source) => `bool(${source})`, 'True'],
  assertFalse: [(source) => `bool(${source})`, 'False'],
  assertIsNone: [(source) => source, 'None'],
}
const matcher = /^\s*\.(toBe|toEqual|toStrictEqual|to\.(?:deep\.)?equal|to\.eql)\(/
/** More assertions than these are not looked at. */
const most = 400
/** More text than this belongs to no single assertion. */
const longest = 2000

/** `names`: functions that a call may begin with. What is compared with something else than a call of them is left out. */
export function assertions(text: string, names: readonly string[]): Example[] {
  if (names.length === 0) return []
  // pytest marks the line that failed, Python what of it.
  const plain = text.replace(/^[>E] /gm, '  ').replace(/^[ \t]*\^+[ \t]*\n/gm, '')
  const call = new RegExp(`^(?:await\\s+)?(?:${names.map((name) => name.replaceAll('$', '\\$')).join('|')})\\(`)
  const found: Example[] = []
  let seen = 0
  for (const { index, 0: head, 1: name = '' } of plain.matchAll(/\b(assert[\w.]*|expect)\(/g)) {
    if (++seen > most) break
    const rest = plain.slice(index + head.length, index + head.length + longest)
    const within = bracketed(rest, 0)
    if (within === undefined) continue
    const [first = '', second] = within.parts
    const add = (source: string, want: string | undefined) => {
      if (want !== undefined && call.test(source)) found.push({ source, want, kind: 'call' })
    }
    const one = alone[name]
    if (name === 'expect') add(first, matched(rest.slice(within.end)))
    else if (one !== undefined) {
      if (call.test(first)) found.push({ source: one[0](first), want: one[1], kind: 'call' })
    } else if (compares.test(name) && second !== undefined) {
      if (call.test(first)) add(first, second)
      else add(second, first)
    }
  }
  return found
}

/** The value of the matcher with which a text begins. */
function matched(text: string): string | undefined {
  const [head, name] = matcher.exec(text) ?? []
  if (head === undefined) return undefined
  const [value, ...more] = bracketed(text, head.length)?.parts ?? []
  // Jest's toEqual takes an object of any class for the same.
  if (name === 'toEqual' && value?.includes('{')) return undefined
  return more.join('') === '' ? value : undefined
}
