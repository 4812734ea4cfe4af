import { expect, test } from 'vitest'
import { lostNames } from '../../tools/text/lost-names.ts'

const names = (before: string, after: string) => lostNames(before, after).map(({ name, line }) => `${name}:${line}`)

test('a constant or an import that is still used, but bound nowhere any more', () => {
  const before =
    'import re\nfrom os.path import join, split as cut\nimport xml.dom\nONE = 1\nTWO: int = 2\n\ndef f():\n    return ONE\n'
  expect(names(before, 'def f():\n    return re.sub("a", cut(ONE), TWO)\n')).toEqual([
    're:1',
    'cut:2',
    'ONE:4',
    'TWO:5',
  ])
  const script =
    "import fs, { join as j } from 'fs'\nimport * as os from 'os'\nconst { a: b } = require('c')\nexport const LIMIT = 3\n"
  expect(names(script, 'export const f = (x) => j(fs.x, os.y) + b + LIMIT\n')).toEqual([
    'fs:1',
    'j:1',
    'os:2',
    'b:3',
    'LIMIT:4',
  ])
})

test('what is not used, is bound otherwise, or only spoken of, is no loss', () => {
  const before = 'import re\nONE = 1\nTWO = 2\n'
  for (const after of [
    'def f():\n    return 1\n',
    'def f(ONE, re=None):\n    return ONE + re\n',
    'ONE = TWO = 3\nimport re\nprint(ONE, TWO, re)\n',
    'from x import (\n  ONE)\nfor ONE in TWO: pass\n'.replace('TWO', 'y'),
    '# ONE is not TWO\nprint("ONE", a.ONE, ONES)  # re\n',
    'def f():\n    """ONE of TWO.\n\n    Uses re.\n    """\n',
    'with x as ONE:\n    print(ONE)\n',
    'const f = (ONE) => ONE\n',
    'for (const [ONE, TWO] of x) g(ONE, TWO)\n',
  ])
    expect(names(before, after)).toEqual([])
  expect(names('', 'ONE')).toEqual([])
  expect(names('ONE == 1\nONE => 2\n', 'ONE')).toEqual([])
})

test('large and hostile texts take no time', () => {
  const began = performance.now()
  expect(names('a = 1\n'.repeat(50_000), 'a'.repeat(500_000))).toEqual([])
  expect(names(Array.from({ length: 5000 }, (_, i) => `n${i} = 1`).join('\n'), 'x = ['.repeat(20_000))).toEqual([])
  // All of them still bound, and all of them lost and used; a file of comments.
  const table = Array.from({ length: 8000 }, (_, i) => `NAME${i} = ${i}`).join('\n')
  expect(names(table, `${table}\nprint(${table.match(/NAME\d+/g)?.join(', ')})`)).toEqual([])
  expect(names(table, table.replaceAll(/^(NAME\d+) = .*/gm, 'f($1)')).length).toBeGreaterThan(100)
  expect(names(table, '# a\n# b\n\n'.repeat(7000))).toEqual([])
  expect(performance.now() - began).toBeLessThan(5000)
})
