/** The ladder of checks, on real files, in the real sandbox, with the interpreters of this machine. */
import { expect, test, vi } from 'vitest'
import { runCommand, shellWord } from '../../agent/checks/command.ts'
import { findExamples } from '../../agent/checks/examples/find.ts'
import { readOutcome } from '../../agent/checks/examples/outcome.ts'
import { pythonRunner } from '../../agent/checks/examples/python-runner.ts'
import { examples } from '../../agent/checks/examples.ts'
import { climb } from '../../agent/checks/ladder.ts'
import type { CheckCommands, CheckContext } from '../../agent/checks/types.ts'
import { openSandbox, openWorkspace, type Sandbox } from '../../sandbox/index.ts'
import { has, missingSandbox, policyFor, put, scratch } from './support.ts'

const python = has('python3')
// Interpreters start slowly on a machine that others keep busy.
vi.setConfig({ testTimeout: 120_000 })

interface Given {
  readonly path?: string
  readonly before?: string | null
  readonly after: string
  readonly task?: string
  readonly files?: Readonly<Record<string, string>>
  readonly commands?: CheckCommands
  readonly sandbox?: Sandbox
}

const contextOf = async (root: string, sandbox?: Sandbox): Promise<CheckContext> => ({
  task: 'Fix a.py',
  files: [],
  commands: {},
  workspace: openWorkspace(root),
  sandbox: sandbox ?? (await openSandbox({ roots: [root] })),
  policy: policyFor(root),
  signal: new AbortController().signal,
})

async function climbed({
  path = 'a.py',
  before = '',
  after,
  task = 'Fix a.py',
  files = {},
  commands = {},
  sandbox,
}: Given) {
  const root = scratch({ ...files, [path]: after })
  const context = { ...(await contextOf(root, sandbox)), task, files: [{ path, before, after }], commands }
  return await climb(context, async (work) => {
    put(root, { [path]: before ?? '' })
    try {
      return await work(context)
    } finally {
      put(root, { [path]: after })
    }
  })
}

const said = ({ reports }: Awaited<ReturnType<typeof climbed>>) => reports.map(({ name, passed }) => [name, passed])

const bitcount = (body: string) => `
def bitcount(n):
    count = 0
    while n:
        ${body}
        count += 1
    return count


"""
Input:
    n: a nonnegative int

Examples:
    >>> bitcount(127)
    7
    >>> bitcount(128)
    1
"""
`

test.runIf(python)(
  'examples at the end of the file: a right answer passes, an endless loop and a wrong one do not',
  async () => {
    const before = bitcount('n ^= n - 1')
    const right = await climbed({ before, after: bitcount('n &= n - 1') })
    expect(right.reports).toEqual([
      { name: 'syntax', passed: true, detail: '1 file' },
      { name: 'examples', passed: true, detail: '2 of 2' },
    ])
    expect(right.decided).toBe(true)
    const wrong = await climbed({ before, after: bitcount('n >>= 2') })
    expect(wrong.failed?.detail).toBe(
      'bitcount(127) should give 7, but gives 4\nbitcount(128) should give 1, but gives 4',
    )
    expect(wrong.height).toBe(1)
    const endless = await climbed({ before, after: before })
    expect(endless.failed?.detail).toContain('bitcount(127) should give 7, but gives no result after 3 s')
  },
  60_000,
)

test.runIf(python)('examples come from the file as it was, never from the new one', async () => {
  const before = 'def f(x):\n    """\n    >>> f(1)\n    2\n    """\n'
  const after = 'def f(x):\n    """\n    >>> f(1)\n    1\n    """\n    return x\n'
  expect((await climbed({ before, after })).failed?.detail).toBe('f(1) should give 2, but gives 1')
  expect(said(await climbed({ before: null, after }))).toEqual([['syntax', true]])
})

/** Task, body of `f(a, b)`, and whether it passes; undefined where there is nothing that could be run. `f` stands for one function each. */
const cases: readonly (readonly [task: string, body: string, passes: boolean | undefined])[] = [
  ['f(1, [2]) -> 3', 'return a + b[0]', true],
  ['`f(1, [2])` returns `3`.', 'return a + b[0]', true],
  ['assert f(1, [2]) == 3, "no"', 'return a', false],
  ['For example, f(1, [2]) should return 3 because 1 + 2 = 3.', 'return a', false],
  ['f(1, [2]) → 3.0', 'return a + b[0]', true],
  ['f(1, [2]) is a number', 'return a', undefined],
  ['f(a, b) == 3', 'return a', undefined],
  ['def f(a, b) -> int: adds', 'return a', undefined],
  ['>>> f(1, [2])\n3\nNothing more.', 'return a + b[0]', true],
  ['>>> g(1)\n3', 'return a', undefined],
  ['>>> [x for x in f(1, [2])]\n[1, 2]', 'yield from [a, *b]', true],
  ['>>> f(1, [2])\n[1, 2]', 'yield from [a, *b]', true],
  ['>>> f(1, [0])\nTraceback (most recent call last):\n  ...\nValueError: no', 'raise ValueError("no")', true],
  ['>>> f(1, [0])\n1', 'raise ValueError("no")', false],
  ['>>> f(1, [0])\n1', 'return mth.floor(a)', false],
  ['>>> print(f(1, [0]))\n1', 'return a', true],
  ['>>> x = [2]\n>>> f(1, x)\n3', 'return a + b[0]', true],
  ['>>> f(1, [3])\n0.3333333333', 'return a / b[0]', true],
]

test.runIf(python)('examples in the forms in which people write them, all in one run', async () => {
  const named = (text: string, index: number) => text.replace(/\bf\(/g, `f${index}(`)
  const after = cases.map(([, body], index) => `def f${index}(a, b):\n    ${body}\n`).join('\n')
  const root = scratch({ 'a.py': after })
  const names = cases.map((_, index) => `f${index}`)
  const found = cases.flatMap(([task], index) => findExamples(named(task, index), names))
  const job = { root, path: 'a.py', examples: found, subject: undefined, seconds: 3, mark: '@@' }
  const options = { seconds: 60, writes: false, stdin: JSON.stringify(job) }
  const { output } = await runCommand(await contextOf(root), `python3 -c ${shellWord(pythonRunner)}`, options)
  const outcome = readOutcome(output, job)
  const failed = new Set(outcome?.failed.map(({ source }) => Number(/f(\d+)\(/.exec(source)?.[1])))
  const wanted = (verdict: boolean | undefined) =>
    cases.flatMap(([, , passes], index) => (passes === verdict ? [index] : []))
  expect([...failed].sort((a, b) => a - b)).toEqual(wanted(false))
  expect(outcome?.passed).toBe(wanted(true).length)
})

test.runIf(python).each([
  ['Input: 1, [2]\nOutput: 3', 'return a + b[0]', true],
  ['Example 1:\n  Input: a = 1, b = [2]\n  Output: 3', 'return a', false],
])('pairs of the only function: %j with %j: %s', async (task, body, passed) => {
  const after = `def f(a, b):\n    ${body}\n`
  const files = [{ path: 'a.py', before: 'def f(a, b):\n    pass\n', after }]
  const root = scratch({ 'a.py': after })
  const verdict = await examples({ ...(await contextOf(root)), files, task })
  expect(verdict?.passed).toBe(passed)
})

test.runIf(python)('a file in a package is loaded as a part of it; what is not installed is no fault', async () => {
  const files = { 'pkg/__init__.py': '', 'pkg/node.py': 'N = 3\n' }
  const before = 'from .node import N\ndef f():\n    """\n    >>> f()\n    4\n    """\n'
  const good = await climbed({ path: 'pkg/a.py', before, after: `${before}    return N + 1\n`, files })
  expect(said(good)).toEqual([
    ['syntax', true],
    ['examples', true],
  ])
  const missing = await climbed({ before, after: `import nowhere_to_be_found\n${before}`, path: 'b.py' })
  expect(missing.failed).toBeUndefined()
})

test.runIf(python)('a file that could not be loaded before is not judged by that', async () => {
  const broken = 'len.wrong_name()\ndef f():\n    """\n    >>> f()\n    1\n    """\n'
  const task = 'Do f in a.py'
  expect((await climbed({ before: broken, after: `${broken}    return 1\n`, task })).failed).toBeUndefined()
  const newly = await climbed({ before: broken.replace(/.*\n/, ''), after: `${broken}    return 1\n`, task })
  expect(newly.failed?.detail).toContain('cannot be loaded: AttributeError: ')
})

test.runIf(python)('syntax of Python, JavaScript and JSON; what was broken before is no new fault', async () => {
  expect((await climbed({ after: 'def f(:\n' })).failed?.detail).toContain('a.py: line 1')
  const script = await climbed({ path: 'a.js', after: "import a from 'b'\nexport const x = ;\n" })
  expect(script.failed?.detail).toBe("a.js: line 2: SyntaxError: Unexpected token ';'")
  expect((await climbed({ path: 'a.cjs', after: 'const a = require("b")\nreturn\n' })).failed).toBeUndefined()
  expect((await climbed({ path: 'a.json', after: '{' })).failed?.name).toBe('syntax')
  expect((await climbed({ before: 'print 1\n', after: 'print 2\n', task: 'Make a.py say 2' })).failed).toBeUndefined()
})

test('the user’s commands: what fails without the change too is left out, but never the check itself', async () => {
  const commands = { check: 'grep -q two a.txt', lint: 'echo bad; false', types: 'no-such-program-here' }
  const result = await climbed({ path: 'a.txt', before: 'one', after: 'two', task: 'Count in a.txt', commands })
  expect(said(result)).toEqual([
    ['types', null],
    ['lint', null],
    ['check', true],
  ])
  const failed = await climbed({ path: 'a.txt', before: 'one', after: 'three', commands: { check: 'echo no; exit 3' } })
  expect(failed.failed?.detail).toMatch(/^echo no; exit 3: exit code 3\n(.*\n)*no$/)
})

test.runIf(python)('tests that carry the name of the changed file are run', async () => {
  const spec =
    'import unittest\nfrom a import f\nclass T(unittest.TestCase):\n    def test_f(self):\n        self.assertEqual(f(), 2)\n'
  const files = { 'test_a.py': spec, 'test_b.py': 'raise Exception\n' }
  const before = 'def f():\n    return 1\n'
  expect(said(await climbed({ before, after: 'def f():\n    return 2\n', files }))).toEqual([
    ['syntax', true],
    ['tests', true],
  ])
  const wrong = await climbed({ before, after: 'def f():\n    return 3\n', files, task: 'Make the tests of a.py pass' })
  expect(wrong.failed?.detail).toContain('3 != 2')
})

test.runIf(python)('tests see the files below src/, not what is installed under the same name', async () => {
  const spec =
    'import unittest\nfrom tabnanny import found\nclass T(unittest.TestCase):\n    def test_f(self):\n        assert found\n'
  const files = { 'test_tabnanny.py': spec }
  const file = { path: 'src/tabnanny.py', before: 'found = 0\n', after: 'found = 1\n', files }
  expect(said(await climbed(file))).toContainEqual(['tests', true])
})

test('without a sandbox nothing is run, and it is said', async () => {
  const result = await climbed({ after: 'x = 1\n', sandbox: missingSandbox, commands: { check: 'true' } })
  expect(result.reports).toEqual([
    { name: 'syntax', passed: null, detail: 'not run: no sandbox here' },
    { name: 'check', passed: null, detail: 'not run: no sandbox here' },
  ])
})

test('examples are found in comments, and end where their comment, fence or docstring does', () => {
  const text =
    '# >>> f(1)\n# 2\ncode = 1\n\n```\n>>> f(2)\n3\n```\n"""\n>>> for x in y:\n...     f(x)\n1\n2 """\nmore\n'
  expect(findExamples(text, [])).toEqual([
    { source: 'f(1)', want: '2', kind: 'prompt' },
    { source: 'f(2)', want: '3', kind: 'prompt' },
    { source: 'for x in y:\n    f(x)', want: '1\n2', kind: 'prompt' },
  ])
})

test('what a task says of today is no example; what it demands is one', () => {
  const today = ['Currently add(1, 2) returns -1.', 'AssertionError: add(1, 2) is -1', 'add(1, 2) is -1 instead of 3']
  for (const text of today) expect(findExamples(text, ['add'])).toEqual([])
  const found = [{ source: 'add(1, 2)', want: '3', kind: 'call' }]
  const demands = ['add(1, 2) should return 3', 'AssertionError: assert add(1, 2) == 3', 'add(1, 2) is 3']
  for (const text of demands) expect(findExamples(text, ['add'])).toEqual(found)
})

test('the assertions of a test, as its output shows them, are examples', () => {
  const found = (text: string) => findExamples(text, ['add']).map(({ source, want }) => `${source} = ${want}`)
  const output = `    def test_add(self):
        self.assertEqual(add("a,)", "b"), 'ab')
>       self.assertEqual(
            add([1, 2],
                [3]), [1, 2, 3]
            ^^^^^^^^^^^^^^^^^^^
        )
E       AssertionError: Lists differ: [] != [1, 2, 3]`
  expect(found(output)).toEqual([`add("a,)", "b") = 'ab'`, 'add([1, 2],\n                [3]) = [1, 2, 3]'])
  expect(found('self.assertTrue(add(1, 2))\nself.assertIs(add(0, 0), False)\nself.assertEqual(3, add(1, 2))')).toEqual([
    'bool(add(1, 2)) = True',
    'add(0, 0) = False',
    'add(1, 2) = 3',
  ])
  expect(found("> 12 |     expect(add('a', 'b')).toEqual('ab');\nassert.deepEqual(add([1]), [1])")).toEqual([
    "add('a', 'b') = 'ab'",
    'add([1]) = [1]',
  ])
  // What they mean is looser than equal: a right answer must not be refused.
  const loose = ['self.assertAlmostEqual(add(1, 2), 3)', 'self.assertDictContainsSubset(add(1), {1: 1})']
  for (const text of [...loose, 'expect(add(1)).toEqual({ a: 1 })']) expect(found(text)).toEqual([])
  expect(found('expect('.repeat(300_000))).toEqual([])
  const others = ['self.assertNotEqual(add(1, 2), 4)', 'assert.notEqual(add(1), 2)', 'expect(add(1)).not.toBe(2)']
  for (const text of [...others, 'expect(other(1)).toBe(1)', 'expect(add(1', 'self.assertEqual(add(1))'])
    expect(found(text)).toEqual([])
})
