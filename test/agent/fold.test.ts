/** Logs as compilers and test runners write them, folded. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { foldLog } from '../../agent/checks/fold.ts'

const logs = join(import.meta.dirname, '..', 'fixtures', 'logs')
const log = (name: string): string => readFileSync(join(logs, `${name}.txt`), 'utf8')

test('tsc: the errors stay, their colours do not', () => {
  const folded = foldLog(log('tsc'))
  expect(folded).toContain("src/area.mts:15:86 - error TS2339: Property 'height' does not exist on type 'Box'.")
  expect(folded).toContain("src/area.mts(15,86): error TS2339: Property 'height'")
  expect(folded).not.toContain('\x1b')
})

test('node --test: failures with what was expected and where; what passed and frames of node are left out', () => {
  const folded = foldLog(log('node-test'))
  expect(folded).toContain('✖ the total is both')
  expect(folded).toContain('test at test/cart.test.js:11:1')
  expect(folded).toMatch(/432 !== 650\n[\s\S]*922 !== 1140\n/)
  expect(folded).toMatch(/actual: 432,\n\s+expected: 650,/)
  expect(folded).not.toContain('✔')
  expect(folded).not.toMatch(/node:(internal|async_hooks)|ERR_ASSERTION',|operator:|ℹ|failing tests:/)
  expect(folded.length).toBeLessThan(log('node-test').length / 2)
})

test('pytest: the assertion, its place and the summary', () => {
  const folded = foldLog(log('pytest'))
  expect(folded).toContain('E       AssertionError: Lists differ: [[1, 2]] != [[1, 2], [2, 3]]')
  expect(folded).toContain('tests/test_tally.py:15: AssertionError')
  expect(folded).toContain('1 failed, 3 passed')
  expect(folded).not.toContain('rootdir')
})

test('cargo: the panic and both sides; 41 tests that passed are one line', () => {
  const folded = foldLog(log('cargo'))
  expect(folded).toContain("thread 'words::windows' panicked at src/lib.rs:27:9:")
  expect(folded).toContain('  left: [[1, 2]]\n right: [[1, 2], [2, 3]]')
  expect(folded).not.toContain('... ok')
  expect(folded).not.toContain('Downloaded')
})

test('a log in which nothing is found is given by its end; a long one is cut in the middle', () => {
  const quiet = Array.from({ length: 100 }, (_, at) => `row ${at}`).join('\n')
  expect(foldLog(quiet).split('\n')).toHaveLength(40)
  expect(foldLog(quiet)).toMatch(/row 99$/)
  const loud = Array.from({ length: 5000 }, (_, at) => `src/a${at}.c:${at}: error: no such thing ${at}`).join('\n')
  const folded = foldLog(loud, 3000)
  expect(folded.length).toBeLessThanOrEqual(3010)
  expect(folded).toContain('error: no such thing 0\n')
  expect(folded).toMatch(/error: no such thing 4999$/)
  expect(foldLog('')).toBe('')
})

test('folding stays linear on hostile logs', () => {
  const began = performance.now()
  foldLog(`${'a.'.repeat(200_000)}\n${' '.repeat(200_000)}x\n${'('.repeat(200_000)}`)
  expect(performance.now() - began).toBeLessThan(2000)
})
