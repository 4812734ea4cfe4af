/** Places in a log, and the files that they lead to. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CheatKind } from '../../../src/fix/cheat-patterns.ts'
import { isNamed, isOffLimits } from '../../../src/fix/cheats.ts'
import { missingHints } from '../../../src/fix/missing.ts'
import { placesIn } from '../../../src/fix/places.ts'
import { suspectsOf, suspectText } from '../../../src/fix/suspects.ts'
import { failingTests } from '../../../src/fix/test-blocks.ts'

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'cachalot-suspects-'))
  const files = {
    'src/cart.js': 'export const total = 1\nexport const sum = 2\n',
    'src/list.mts': 'export {}\n',
    'test/cart.test.js': "import { total } from '../src/cart.js'\nimport { x } from '../../outside.js'\n",
    'test/list.test.mts': "import '../src/list.mjs'\n",
    'src/money.js': 'export const money = String\n',
    'src/index.js': "export { money } from './money.js'\nexport * from './cart.js'\n",
    'src/bill.js':
      "import { sum, total } from './cart.js'\nimport { money } from './index.js'\n\nexport const bill = () => money(total)\nexport const none = () => 0\n",
    'check.mjs': "import { total } from './src/cart.js'\n",
    'check.sh': 'node check.mjs\n',
    'test/kept.test.js': "test('a', () => {\n  assert.equal(1, read('kept.snap'))\n})\n",
    'test/kept.snap': '1',
    'test/__snapshots__/kept.test.js.snap': '1',
    'test/names.test.js': [
      "import assert from 'node:assert'",
      'import {',
      '  money,',
      '  sum, total,',
      "} from '../src/index.js'",
      '',
      'const lines = [1, 2]',
      '',
      "test('both', () => {",
      '  assert.equal(total(sum(lines)), 3)',
      '})',
      '',
      "test('money', () => {",
      "  assert.equal(money(1), '1')",
      '})',
    ].join('\n'),
    'tally/words.py': 'def words(text): return text\n',
    'tests/test_names.py': 'from tally import (\n    words,  # all\n)\n\nassert words("a") == ["a"]\n',
    'tally/__init__.py': 'from .words import words\n',
    'tally/count.py': 'x = 1\n',
    'tests/test_tally.py': 'from tally import count\nimport os\n',
    'node_modules/a/index.js': '',
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

test('places of compilers, traces and test runners; each line once; files of others and none at all left out', () => {
  const log = [
    '\x1b[31msrc/list.mts(3,7): error TS2339: no such thing\x1b[0m',
    `    at total (file://${'ROOT'}/src/cart.js:14:5)`,
    '    at node_modules/a/index.js:1:1',
    '  File "tally/count.py", line 2, in count',
    'src/gone.js:3: error',
    '/etc/passwd:1:1: error',
    'src/list.mts(3,7): error again',
  ].join('\n')
  const places = placesIn(log.replace('ROOT', root), root)
  expect(places.map(({ path, line, column }) => [path, line, column])).toEqual([
    ['src/list.mts', 3, 7],
    ['src/cart.js', 14, 5],
    ['tally/count.py', 2, undefined],
  ])
  expect(places[0]?.message).toBe('src/list.mts(3,7): error TS2339: no such thing')
})

const at = (path: string, line = 1) => ({ path, line, message: '' })
const suspects = (places: readonly ReturnType<typeof at>[], log = '', check = 'npm test', allowed: CheatKind[] = []) =>
  suspectsOf({
    ...{ places, root, log },
    isOffLimits: (path) => isOffLimits(path, check, new Set(allowed)),
    isNamed: (path) => isNamed(path, check),
  }).map(suspectText)

test('a test leads to what it imports; what the log names comes first, tests themselves never', () => {
  expect(suspects([at('test/cart.test.js', 2)])).toEqual(['src/cart.js (total)'])
  expect(suspects([at('test/cart.test.js', 900)])).toEqual(['src/cart.js'])
  expect(suspects([at('test/list.test.mts'), at('src/cart.js')])).toEqual(['src/cart.js:1', 'src/list.mts'])
  expect(suspects([at('tests/test_tally.py', 900)])).toEqual(['tally/count.py', 'tally/__init__.py'])
  expect(suspects([])).toEqual([])
  const log = `Cannot find module '${root}/src/gone.js' imported from ${root}/src/cart.js, ${root}/test/cart.test.js`
  expect(suspects([], log)).toEqual(['src/cart.js'])
})

test('what the failing part of a test uses comes first, with its names; through files that only hand it on', () => {
  expect(suspects([at('test/names.test.js', 10)])).toEqual(['src/cart.js (total, sum)'])
  expect(suspects([at('test/names.test.js', 14)])).toEqual(['src/money.js (money)'])
  expect(suspects([at('test/names.test.js', 14), at('test/names.test.js', 10)])).toEqual([
    'src/money.js (money)',
    'src/cart.js (total, sum)',
  ])
  expect(suspects([at('tests/test_names.py', 5)])).toEqual(['tally/words.py (words)'])
})

test('what a named line uses of other files comes after it: what they gave it may be wrong', () => {
  expect(suspects([at('src/bill.js', 4)])).toEqual(['src/bill.js:4', 'src/cart.js (total)', 'src/money.js (money)'])
  expect(suspects([at('src/bill.js', 5)])).toEqual(['src/bill.js:5'])
  expect(suspects([at('src/bill.js', 2), at('src/cart.js', 2)])).toEqual([
    'src/bill.js:2',
    'src/cart.js:2',
    'src/money.js (money)',
  ])
})

test('the check itself is none, nor is what is installed; a program that the check names leads on to what it imports', () => {
  const program = [at('check.mjs'), at('check.sh'), at('node_modules/a/index.js')]
  expect(suspects(program, '', 'node check.mjs && sh check.sh')).toEqual(['check.mjs:1', 'src/cart.js (total)'])
})

test('tests that may be changed come last', () => {
  expect(suspects([at('test/cart.test.js')], '', 'npm test', ['tests'])).toEqual([
    'src/cart.js (total)',
    'test/cart.test.js:1',
  ])
})

test('what a failing test was recorded in is one where it may be changed', () => {
  const failed = [at('test/kept.test.js', 2)]
  expect(suspects(failed)).toEqual([])
  expect(suspects(failed, '', 'npm test', ['snapshots'])).toEqual([
    'test/kept.snap',
    'test/__snapshots__/kept.test.js.snap',
  ])
})

test('the failing parts of a test, with what they use of it, and nothing of what passes', () => {
  const [found] = failingTests([at('src/cart.js'), at('test/names.test.js', 9), at('test/names.test.js', 10)], root)
  expect(found).toEqual({
    path: 'test/names.test.js',
    line: 9,
    text: ['const lines = [1, 2]', '', "test('both', () => {", '  assert.equal(total(sum(lines)), 3)', '})'].join('\n'),
  })
  expect(failingTests([at('test/names.test.js', 900)], root)).toEqual([])
})

test('a file that is not there, and the one that was meant', () => {
  const hints = (log: string) => missingHints(log, root)
  expect(hints(`Error: Cannot find module '${root}/src/carts.js' imported from x`)).toEqual([
    'There is no src/carts.js; there is src/cart.js.',
  ])
  expect(hints("ModuleNotFoundError: No module named 'tally.cuont'")).toEqual([
    'There is no tally/cuont.py; there is tally/count.py.',
  ])
  expect(hints("Cannot find module 'left-pad' Cannot find module '/etc/passwt' No module named 'numpy'")).toEqual([])
})

test('a hostile log costs little', () => {
  const began = performance.now()
  placesIn(`${'a/'.repeat(200_000)}\n${'a.'.repeat(200_000)}\n${'File "'.repeat(50_000)}`, root)
  expect(performance.now() - began).toBeLessThan(2000)
})
