/**
 * Examples in the assertions of a test, as a test's output shows them: `self.assertEqual(f(1), 2)` (unittest),
 * `expect(f(1)).toEqual(2)` (jest, vitest, chai), `assert.deepEqual(f(1), 2)` (Node), `assert got == 2` after `got = f(1)`
 * (pytest). Those of calls with `==` are found with the calls.
 */
import { bracketed, statementEnd } from './brackets.ts'
import type { Example } from './example.ts'
import { withLocals } from './locals.ts'

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
const longest = 8000

/** `names`: functions that a call may begin with. What is compared with something else than a call of them is left out. */
export function assertions(text: string, names: readonly string[]): Example[] {
  if (names.length === 0) return []
  // pytest marks the line that failed, Python what of it; jest shows lines with their numbers.
  const shown = text.replace(/^[ \t]*(?:>[ \t]*)?\d+ \|(?: |$)/gm, '').replace(/^[ \t]*(?:\|[ \t]*)?\^+[ \t]*\n/gm, '')
  const plain = shown.replace(/^> /gm, '  ').replace(/^E .*$/gm, '')
  const call = new RegExp(`^(?:await\\s+)?(?:${names.map((name) => name.replaceAll('$', '\\$')).join('|')})\\(`)
  const found: Example[] = []
  let seen = 0
  for (const { index, 0: head, 1: name = '' } of plain.matchAll(
    /\b(assert[\w.]*|expect)\(|^[ \t]*assert (?=\S.*==)/gm,
  )) {
    if (++seen > most) break
    const local = withLocals(plain, index)
    const add = (source: string | undefined, want: string | undefined, kind: Example['kind'] = 'assertion') => {
      if (source === undefined || want === undefined || want === '') return false
      const [one, other] = [local(source), local(want)]
      if (!call.test(one)) return false
      found.push({ source: one, want: other, kind })
      return true
    }
    const rest = plain.slice(index + head.length, index + head.length + longest)
    if (!head.endsWith('(')) {
      const [first, second, ...more] = rest.split('\n', 1)[0]!.split(/\s==\s/)
      // Found with the calls where it needs nothing put in its place.
      if (more.length === 0 && !call.test(first!.trim())) add(first!.trim(), second?.trim())
      continue
    }
    const within = bracketed(rest, 0)
    if (within === undefined) continue
    const [first = '', second] = within.parts
    const alike = alone[name]
    if (name === 'expect') add(first, matched(rest.slice(within.end)))
    else if (alike !== undefined) {
      if (call.test(local(first))) found.push({ source: alike[0](local(first)), want: alike[1], kind: 'assertion' })
    } else if (name === 'assertCountEqual' || name === 'assertItemsEqual') {
      if (!add(first, second, 'bag')) add(second, first, 'bag')
    } else if (compares.test(name) && !add(first, second)) add(second, first)
  }
  return [...found, ...raised(shown, call), ...awaited(plain, call)]
}

/** `with self.assertRaises(ValueError) as error:` and what stands in it; the message where the test looks at that, too. */
function awaited(text: string, call: RegExp): Example[] {
  const head =
    /^([ \t]*)with (?:self\.assertRaises|pytest\.raises)\((?:\w+\.)*(\w+)\)(?: as (\w+))?:[ \t]*\n([ \t]+)(?:\w+ = )?/gm
  return [...text.matchAll(head)]
    .slice(0, most)
    .flatMap(({ index, 0: whole, 1: indent = '', 2: kind = '', 3: name, 4: inner = '' }): Example[] => {
      const from = index + whole.length
      const end = statementEnd(text, from)
      const source = withLocals(text, index)(text.slice(from, end).trim())
      if (inner.length <= indent.length || end - from > longest || !call.test(source)) return []
      const looks = new RegExp(
        `assertEqual\\(\\s*(?:${name}\\.exception\\.args\\[0\\]|str\\(${name}\\.(?:exception|value)\\)),\\s*(?:"([^"\\\\\n]*)"|'([^'\\\\\n]*)')`,
      )
      const [, one, other] = (name !== undefined && looks.exec(text.slice(end, end + 500))) || []
      const message = one ?? other
      return [{ source, want: message === undefined ? kind : `${kind}: ${message}`, kind: 'raises' }]
    })
}

/** pytest's mark on a line of a test that asserts nothing: what it calls ended with an error, which it should not. */
function raised(text: string, call: RegExp): Example[] {
  return [...text.matchAll(/^ +(?:async )?def test\w*\(.*\n(?:(?!>).*\n){0,60}?> +(?:\w+ = )?(\S.*)$/gm)].flatMap(
    ({ index, 0: block, 1: source = '' }): Example[] => {
      const before = block.slice(0, block.lastIndexOf('\n'))
      const expected = /^\s*with\b/.test(before.slice(before.lastIndexOf('\n') + 1))
      const whole = bracketed(source, source.indexOf('(') + 1)?.end === source.length
      const local = withLocals(text, index + block.length)
      return !expected && whole && call.test(source) ? [{ source: local(source), want: '', kind: 'runs' }] : []
    },
  )
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
