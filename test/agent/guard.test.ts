/** What a model leaves out of a file is not lost. */
import { expect, test, vi } from 'vitest'
import { asksForChange, asksOnly, forbidsChange, mayGo, showsFailure } from '../../agent/turn/wishes.ts'
import { lastWords, perform, put, stage, text } from './support.ts'

vi.setConfig({ testTimeout: 120_000 })
const small = { finishes: 'edits', prompt: 'small', dialect: 'fenced' } as const
const write = (path: string, content: string) => ({ calls: [{ name: 'write', arguments: { path, content } }] })

const program = `from functools import cache

LIMIT = 3


def first(x):
    """Says the first."""
    return x + 1


@cache
def second(x):
    # Two steps, because
    # the first alone is not enough.
    return first(x) + 2


"""
Examples:
    >>> first(1)
    1
"""
`

test('a lone function goes into its place: everything else stays, byte for byte', async () => {
  const answer = 'def first(x):\n    return x\n'
  const at = await stage([write('a.py', answer)], { files: { 'a.py': program }, info: small })
  expect(await perform(at, 'Fix first in a.py')).toMatchObject({ exit: 'done', steps: 1 })
  expect(text(at.root, 'a.py')).toBe(program.replace('return x + 1', 'return x'))
})

test('a function in which only a comment stands is not lost, unless the task wants it to do nothing', async () => {
  const answer = program
    .replace('return x + 1', 'return x')
    .replace(/ {4}# Two[\s\S]*?return first.*/, '    # Implementation of second')
  const at = await stage([write('a.py', answer)], { files: { 'a.py': program }, info: small })
  expect(await perform(at, 'Fix first in a.py')).toMatchObject({ exit: 'done', steps: 1 })
  expect(text(at.root, 'a.py')).toBe(program.replace('return x + 1', 'return x'))
  const script = 'export function log(text) {\n  console.log(text)\n}\n'
  const silent = script.replace('console.log(text)', '// nothing')
  const off = await stage([write('a.js', silent)], { files: { 'a.js': script }, info: small })
  expect(await perform(off, 'Make log() in a.js a no-op.')).toMatchObject({ exit: 'done' })
  expect(text(off.root, 'a.js')).toBe(silent)
})

test('constants and imports that the lone function of a file still uses stay', async () => {
  const source =
    'import re\n\n# What it may be.\n# Change as you like.\nONE = 1\nTWO = 2\n\n\ndef f(x):\n    return ONE\n'
  const answer = 'def f(x):\n    return ONE if re.match("a", x) else TWO\n'
  const at = await stage([write('a.py', answer)], { files: { 'a.py': source }, info: small })
  expect(await perform(at, 'Fix f in a.py')).toMatchObject({ exit: 'done', steps: 1 })
  expect(text(at.root, 'a.py')).toBe(source.replace('def f(x):\n    return ONE\n', answer))
  // Said twice, it may be meant so.
  const all = write('a.py', source.replace('import re\n\n', '').replace('return ONE', 'return re'))
  const twice = await stage([all, all], { files: { 'a.py': source }, info: { ...small, prompt: 'full' } })
  expect(await perform(twice, 'Fix f in a.py')).toMatchObject({ exit: 'done' })
})

test('the docstring at the end of a file and comments come back', async () => {
  const answer = program
    .replace('return x + 1', 'return x')
    .replace(/\n\n"""\nExamples[\s\S]*$/, '')
    .replace(/ {4}# Two.*\n.*\n/, '')
  const at = await stage([write('a.py', answer)], { files: { 'a.py': program }, info: small })
  expect(await perform(at, 'Fix first in a.py')).toMatchObject({ exit: 'done', steps: 1 })
  expect(text(at.root, 'a.py')).toBe(program.replace('return x + 1', 'return x'))
})

test('a method of a JavaScript class is merged by its braces; "the rest is unchanged" is not taken for code', async () => {
  const source =
    'export class A {\n  one() {\n    return 1\n  }\n\n  // Two is\n  // special.\n  two() {\n    return 3\n  }\n}\n\nexport function helper() {\n  return 0\n}\n'
  const answer =
    'export class A {\n  one() {\n    return 1\n  }\n\n  // Two is\n  // special.\n  two() {\n    return 2\n  }\n}\n\n// ... rest of the code unchanged\n'
  const at = await stage([write('a.js', answer)], { files: { 'a.js': source }, info: small })
  expect(await perform(at, 'Fix two() in a.js')).toMatchObject({ exit: 'done' })
  expect(text(at.root, 'a.js')).toBe(source.replace('return 3', 'return 2'))
})

test('what cannot be merged is asked for once more with what would be lost, then not done', async () => {
  const answer = write('a.py', 'print("hello")\n')
  const at = await stage([answer, answer], { files: { 'a.py': program }, info: small, tries: 1 })
  const result = await perform(at, 'Fix first in a.py')
  expect(result).toMatchObject({ exit: 'not-done', steps: 2, changes: [] })
  expect(lastWords(at)).toContain('second (line 12) is gone')
  expect(text(at.root, 'a.py')).toBe(program)
  const good = program.replace('return x + 1', 'return x')
  const repaired = await stage([answer, write('a.py', good)], { files: { 'a.py': program }, info: small })
  expect(await perform(repaired, 'Fix first in a.py')).toMatchObject({ exit: 'done', steps: 2 })
  expect(text(repaired.root, 'a.py')).toBe(good)
})

test('what the task asks to be removed may go; what moves to another file in the same reply too', async () => {
  const without = program.replace(/@cache[\s\S]*first\(x\) \+ 2\n\n\n/, '')
  const at = await stage([write('a.py', without)], { files: { 'a.py': program }, info: small })
  await perform(at, 'Remove the function second and its comments from a.py')
  expect(text(at.root, 'a.py')).toBe(without)

  const calls = [
    { name: 'write', arguments: { path: 'a.js', content: "export * from './b.js'\n" } },
    { name: 'write', arguments: { path: 'b.js', content: 'export function f() {\n  return 1\n}\n' } },
  ]
  const moved = await stage([{ calls }], { files: { 'a.js': 'export function f() {\n  return 1\n}\n' }, info: small })
  await perform(moved, 'f belongs into b.js: put it there, a.js')
  expect(text(moved.root, 'a.js')).toBe("export * from './b.js'\n")
})

test('a file that the run made itself may be written anew', async () => {
  const replies = [write('n.py', 'def a():\n    pass\n'), write('n.py', 'def b():\n    pass\n'), { text: 'Done.' }]
  const at = await stage(replies)
  await perform(at, 'Write n.py')
  expect(text(at.root, 'n.py')).toContain('def b')
})

test('a plain question never rewrites a file: the reply is the answer', async () => {
  const raw = 'Like this:\n\na.py\n```python\ndef first(x):\n    return x\n```\n'
  const at = await stage([{ raw }], { files: { 'a.py': program }, info: small })
  const result = await perform(at, 'What does first in a.py return?')
  expect(result).toMatchObject({ exit: 'done', steps: 1, changes: [] })
  expect(text(at.root, 'a.py')).toBe(program)
})

test('a task that forbids every change gets none, whatever the model writes', async () => {
  const at = await stage([write('a.py', program.replace('3', '4'))], { files: { 'a.py': program }, info: small })
  const result = await perform(at, 'Tell a story about a.py. Do not change any files.')
  expect(result).toMatchObject({ exit: 'done', steps: 1, changes: [] })
  expect(text(at.root, 'a.py')).toBe(program)
})

test('an exported constant is no less a definition', async () => {
  const files = { 'a.js': 'export const a = 1\n' }
  const at = await stage([write('a.js', 'the sea\n'), write('a.js', 'the sea\n')], { files, info: small, tries: 1 })
  expect(await perform(at, 'Fix a.js')).toMatchObject({ exit: 'not-done', changes: [] })
  expect(lastWords(at)).toContain('a (line 1) is gone')
})

test('what the user adds meanwhile is told to the model first, and then kept by the merge', async () => {
  let asked = 0
  const at = await stage(
    () => {
      asked += 1
      if (asked === 1) put(at.root, { 'a.py': `${program}# more\n` })
      return write('a.py', 'def first(x):\n    return x\n')
    },
    { files: { 'a.py': program }, info: small, tries: 1 },
  )
  expect(await perform(at, 'Fix first in a.py')).toMatchObject({ exit: 'done', steps: 2 })
  expect(text(at.root, 'a.py')).toBe(`${program.replace('return x + 1', 'return x')}# more\n`)
})

const failed = [
  ...[
    '____________________ test_first ____________________',
    '',
    '    def test_first():',
    '>       assert first(1) == "ab"',
  ],
  ...[
    "E       AssertionError: assert 'aa' == 'ab'",
    'E         - ab',
    'E         ?  ^',
    'E         + aa',
    'E         ?',
  ],
  ...['', 'test_a.py:4: AssertionError', 'FAILED test_a.py::test_first - AssertionError'],
].join('\n')

test.each([
  ['pytest fails, fix it:', { only: false, change: true, shows: true }],
  ['These tests fail, mend it:', { only: false, change: true, shows: true }],
  ['pytest fails:', { only: false, change: false, shows: true }],
  ['Why does this fail?', { only: true, change: false, shows: false }],
  ['pytest fails. Do not change any files.', { only: true, change: false, shows: false }],
  ['I ran this:', { only: false, change: false, shows: false }],
] as const)('%s and what pytest put out, in which lines end like a question', (words, { only, change, shows }) => {
  const task = `${words}\n\n${failed}\n`
  expect(asksOnly(task)).toBe(only)
  expect(asksForChange(task)).toBe(change)
  expect(showsFailure(task)).toBe(shows)
})

test('a failed test, and words in the place of a change: not done', async () => {
  const talk = { text: 'The function first is at fault.' }
  const at = await stage([talk, talk, talk, talk], { files: { 'a.py': program }, info: small, tries: 1 })
  expect(await perform(at, `pytest fails:\n\n${failed}\n`)).toMatchObject({ exit: 'not-done', changes: [] })
  const asked = await stage([talk], { files: { 'a.py': program }, info: small, tries: 1 })
  expect(await perform(asked, `Why does this fail?\n\n${failed}\n`)).toMatchObject({ exit: 'done', changes: [] })
})

test.each([
  ['What does a.py do?', true],
  ['Explain how a.py works.', true],
  ['How do I add a flag to a.py?', true],
  ['Why is the loop in a.py slow? Be brief.', true],
  ['Can you fix a.py?', false],
  ['Could you please rename load in a.py?', false],
  ['Why does a.py fail? Fix it.', false],
  ['What is wrong with a.py? It should return 2.', false],
  ['Fix a.py', false],
  ['a.py is broken', false],
  ['Find the bug in a.py and fix it', false],
  ['a.py fails, please fix it. What was it?', false],
])('%s: asks only: %s', (task, only) => {
  expect(asksOnly(task)).toBe(only)
  if (asksForChange(task)) expect(only).toBe(false)
})

test.each([
  ['Remove second from a.py', true, false],
  ['Please rename `second` to third', true, false],
  ['Can you drop second and its docstring?', true, true],
  ['second should be removed', true, false],
  ['Rewrite a.py with fewer lines', true, true],
  ['Fix second in a.py', false, false],
  ['A moving story: the removed words of second are translated. Implement it in a.py.', false, false],
])('%s: second may go: %s, docs may: %s', (task, definition, docs) => {
  const allowed = mayGo(task)
  expect([allowed.definition('second'), allowed.docs]).toEqual([definition, docs])
})

test.each([
  ['Tell me a story. Change nothing.', true],
  ["What does this do? Please don't edit any files.", true],
  ['Do not modify the code!', true],
  ['Fix first in a.py. Do not change anything else.', false],
  ['Fix first in a.py. Do not change any files.', false],
  ["Don't touch files in lib", false],
  ['Change nothing to something in a.py', false],
])('%s: forbids every change: %s', (task, forbids) => {
  expect(forbidsChange(task)).toBe(forbids)
})
