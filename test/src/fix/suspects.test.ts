/** Places in a log, and the files that they lead to. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { missingHints } from '../../../src/fix/missing.ts'
import { placesIn } from '../../../src/fix/places.ts'
import { suspectsOf } from '../../../src/fix/suspects.ts'

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'cachalot-suspects-'))
  const files = {
    'src/cart.js': 'export const total = 1\n',
    'src/list.mts': 'export {}\n',
    'test/cart.test.js': "import { total } from '../src/cart.js'\nimport { x } from '../../outside.js'\n",
    'test/list.test.mts': "import '../src/list.mjs'\n",
    'tally/__init__.py': '',
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

test('a test leads to what it imports; what the log names comes first, tests themselves never', () => {
  const at = (path: string) => ({ path, line: 1, message: '' })
  expect(suspectsOf([at('test/cart.test.js')], root)).toEqual(['src/cart.js'])
  expect(suspectsOf([at('test/list.test.mts'), at('src/cart.js')], root)).toEqual(['src/cart.js:1', 'src/list.mts'])
  expect(suspectsOf([at('tests/test_tally.py')], root)).toEqual(['tally/count.py', 'tally/__init__.py'])
  expect(suspectsOf([], root)).toEqual([])
  const log = `Cannot find module '${root}/src/gone.js' imported from ${root}/src/cart.js, ${root}/test/cart.test.js`
  expect(suspectsOf([], root, log)).toEqual(['src/cart.js'])
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
