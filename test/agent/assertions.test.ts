/** Assertions as the output of pytest, unittest and jest shows them, with the values that the test gave to names before. */
import { expect, test, vi } from 'vitest'
import { findExamples } from '../../agent/checks/examples/find.ts'
import { examples } from '../../agent/checks/examples.ts'
import { openSandbox, openWorkspace } from '../../sandbox/index.ts'
import { has, policyFor, scratch } from './support.ts'

vi.setConfig({ testTimeout: 120_000 })

const found = (text: string) =>
  findExamples(text, ['find', 'Stack', 'Phone']).map(({ kind, source, want }) => `${kind}: ${source} = ${want}`)

const pytest = `..F
=================================== FAILURES ===================================
self = <find_test.FindTest testMethod=test_any_case>

    def test_any_case(self):
        words = ["Carthorse", "radishes"]
        expected = ["Carthorse"]
>       self.assertCountEqual(find("Orchestra", words), expected)
E       AssertionError: Element counts were not equal:
E       First has 1, Second has 0:  'carthorse'

find_test.py:51: AssertionError`

test('names stand for what the test gave them', () => {
  expect(found(pytest)).toEqual(['bag: find("Orchestra", ["Carthorse", "radishes"]) = ["Carthorse"]'])
  expect(found('def test_a():\n    got = find(1)\n>   assert got == [1]\nE   assert None == [1]')).toEqual([
    'assertion: find(1) = [1]',
  ])
  expect(found('  3 |   const words = ["a",\n  4 |     "b"];\n> 5 |   expect(find(words)).toEqual(["b"])')).toEqual([
    'assertion: find(["a",\n    "b"]) = ["b"]',
  ])
  expect(
    found(
      '    def test_a(self):\n        p = Phone("1")\n        self.assertEqual(p.code, "1")\n        self.assertEqual(p.code, "2")',
    ),
  ).toEqual(['assertion: Phone("1").code = "1"'])
  expect(
    found(
      'def test_a():\n    lines = (\n        "one\\n"\n        "two"\n    )\n    assert find(x=lines, lines=1, s="lines") == lines',
    )[1],
  ).toEqual(undefined)
})

test('what should come may be long, and what is too long is none', () => {
  const poem = (lines: number) =>
    `[\n${'                "This is the house that Jack built.",\n'.repeat(lines)}            ]`
  const shown = (lines: number) =>
    `    def test_all(self):\n>       self.assertEqual(\n            find(1, 12),\n            ${poem(lines)},\n        )`
  expect(found(shown(100))).toEqual([`assertion: find(1, 12) = ${poem(100)}`])
  expect(found(shown(1000))).toEqual([])
})

test('a name whose value may be another by then is left as it is', () => {
  for (const between of ['words.append("x")', 'change(words)', 'for each in words: each.pop()', 'words += [1]']) {
    expect(found(`def test_a():\n    words = ["a"]\n    ${between}\n    assertEqual(find(words), ["a"])`)).toEqual([
      'assertion: find(words) = ["a"]',
    ])
  }
  // What is made by a call has a state: after the first look it may be another.
  const stack = 'def test_a():\n    s = Stack(1, 2)\n    assertEqual(s.pop(), 2)\n    assertEqual(s.pop(), 1)\n'
  expect(found(stack)).toEqual(['assertion: Stack(1, 2).pop() = 2'])
  // A name of another test.
  expect(found('def test_a():\n    n = 1\n\ndef test_b(n):\n    assertEqual(find(n), 1)')).toEqual([
    'assertion: find(n) = 1',
  ])
  expect(found(`def test_a():\n${'    a = (\n'.repeat(20_000)}    assertEqual(find(a), 1)`)).toHaveLength(1)
})

test('a line of a test that ended with an error should not, unless the test waits for one', () => {
  const raises =
    '    def test_area(self):\n>       p = Phone("223")\n            ^^^^^\n\nphone_test.py:113: ValueError'
  expect(found(raises)).toEqual(['runs: Phone("223") = '])
  const waits =
    '    def test_area(self):\n        with self.assertRaises(KeyError):\n>           Phone("223")\nE  ValueError'
  expect(found(waits)).toEqual(['raises: Phone("223") = KeyError'])
})

test('what a test waits for is an example: an error, with its message where that is looked at', () => {
  const waits = `    def test_none(self):
        text = ""
        with self.assertRaises(ValueError) as err:
            find(text, 1)
        self.assertEqual(type(err.exception), ValueError)
>       self.assertEqual(err.exception.args[0], "none there")
E       AssertionError: 'none' != 'none there'
    def test_other():
        with pytest.raises(KeyError):
            got = find(2)
        with self.assertRaises(KeyError): find(3)
        with self.subTest(1):
            find(4)`
  expect(found(waits)).toEqual(['raises: find("", 1) = ValueError: none there', 'raises: find(2) = KeyError'])
})

const python = has('python3')

async function checked(after: string, task: string) {
  const root = scratch({ 'a.py': after })
  const [sandbox, signal] = [await openSandbox({ roots: [root] }), new AbortController().signal]
  const context = { commands: {}, workspace: openWorkspace(root), sandbox, policy: policyFor(root), signal }
  return await examples({ ...context, task, files: [{ path: 'a.py', before: after, after }] })
}

test.runIf(python)('they are run: constants and types of the file, any order, and no error', async () => {
  const file = `from datetime import date
BIG = 2
def find(n):
    if n == 0:
        raise ValueError("none")
    return BIG if n > 9 else date(2020, n, 1) if n > 1 else [3, 1, 2]
`
  const right =
    'assertEqual(find(10), BIG)\nassertEqual(find(2), date(2020, 2, 1))\nassertCountEqual(find(1), [1, 2, 3])'
  expect(await checked(file, right)).toMatchObject({ passed: true, detail: '3 of 3' })
  const wrong =
    'assertEqual(find(2), date(2020, 3, 1))\nassertCountEqual(find(1), [1, 2])\n    def test_a():\n>       find(0)\n'
  expect(await checked(file, wrong)).toMatchObject({
    passed: false,
    detail: [
      'find(2) should give date(2020, 3, 1), but gives datetime.date(2020, 2, 1)',
      'find(1) should give [1, 2], but gives [3, 1, 2]',
      'find(0) should not fail: ValueError: none',
    ].join('\n'),
  })
  const waited = 'with self.assertRaises(ValueError) as e:\n  find(0)\nassertEqual(e.exception.args[0], "none")'
  expect(await checked(file, `${waited}\nwith pytest.raises(Exception):\n    find(0)`)).toMatchObject({ passed: true })
  expect(
    await checked(file, `${waited.replace('none', 'no')}\nwith pytest.raises(KeyError):\n    find(1)`),
  ).toMatchObject({
    passed: false,
    detail:
      'find(0) should give ValueError: no, but gives ValueError: none\nfind(1) should give KeyError, but gives [3, 1, 2]',
  })
  // Names that only the test knows say nothing of the file.
  expect(await checked(file, 'assertEqual(find(10), HUGE)\nassertEqual(find(unknown), 1)')).toBeUndefined()
})

test('lines of spaces, numbers and brackets take no time', () => {
  const began = performance.now()
  const spaces = ' '.repeat(200_000)
  for (const text of [
    spaces,
    `${spaces}>${spaces}`,
    `  |${spaces}x`,
    `${' \t'.repeat(100_000)}^`,
    'assertEqual('.repeat(20_000),
    'assertEqual(find(1), ['.repeat(20_000),
    `${spaces}assertEqual(find(`,
  ])
    expect(found(`assertEqual(find(1), 2)\n${text}\n`)).toEqual(['assertion: find(1) = 2'])
  expect(performance.now() - began).toBeLessThan(5000)
})
