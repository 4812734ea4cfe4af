/**
 * Examples in the assertions of a test, as a test's output shows them: `self.assertEqual(f(1), 2)` (unittest),
 * `expect(f(1)).toEqual(2)` (jest, vitest, chai), `assert.deepEqual(f(1), 2)` (Node). Those with `==` are found with the calls.
 */
import { bracketed } from './brackets.ts'
import type { Example } from './example.ts'

/** Names of assertions that compare two values; in capitals as unittest has them, and as Node's `assert` does. */
const compares = /^(?:assert(?:\w*Equals?|Is)|assert\.(?:deep)?(?:strict)?equal)$/i
/** Those of one value, with what it must be. */
const alone: Readonly<Record<string, string>> = { assertTrue: 'True', assertFalse: 'False', assertIsNone: 'None' }
const matcher = /^\s*\.(?:toBe|toEqual|toStrictEqual|to\.(?:deep\.)?equal|to\.eql)\(/
const opposite = /not/i
/** More text than this belongs to no single assertion. */
const longest = 2000

/** `names`: functions that a call may begin with. What is compared with something else than a call of them is left out. */
export function assertions(text: string, names: readonly string[]): Example[] {
  if (names.length === 0) return []
  // pytest marks the line that failed, Python what of it.
  const plain = text.replace(/^[>E] /gm, '  ').replace(/^[ \t]*\^+[ \t]*\n/gm, '')
  const call = new RegExp(`^(?:await\\s+)?(?:${names.map((name) => name.replaceAll('$', '\\$')).join('|')})\\(`)
  const found: Example[] = []
  for (const { index, 0: head, 1: name = '' } of plain.matchAll(/\b(assert[\w.]*|expect)\(/g)) {
    const start = index + head.length
    const within = bracketed(plain.slice(0, start + longest), start)
    if (within === undefined || opposite.test(name)) continue
    const [first = '', second] = within.parts
    const add = (source: string, want: string | undefined) => {
      if (want !== undefined && call.test(source)) found.push({ source, want, kind: 'call' })
    }
    if (name === 'expect') add(first, matched(plain, within.end))
    else if (alone[name] !== undefined) add(first, alone[name])
    else if (compares.test(name) && second !== undefined) {
      if (call.test(first)) add(first, second)
      else add(second, first)
    }
  }
  return found
}

/** The value of the matcher that stands at `at`. */
function matched(text: string, at: number): string | undefined {
  const head = matcher.exec(text.slice(at, at + longest))?.[0]
  if (head === undefined) return undefined
  const within = bracketed(text.slice(0, at + longest), at + head.length)
  return within?.parts.length === 1 || within?.parts[1] === '' ? within.parts[0] : undefined
}
