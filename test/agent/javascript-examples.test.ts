/** Examples of JavaScript and TypeScript, run by the Node that runs us, in the real sandbox. */
import { expect, test, vi } from 'vitest'
import { examples } from '../../agent/checks/examples.ts'
import { openSandbox, openWorkspace } from '../../sandbox/index.ts'
import { policyFor, scratch } from './support.ts'

// A process for each, on a machine that others may keep busy.
vi.setConfig({ testTimeout: 120_000 })

interface Given {
  readonly path?: string
  readonly before?: string
  readonly after: string
  readonly task?: string
  readonly files?: Readonly<Record<string, string>>
}

async function checked({ path = 'a.js', before = '', after, task = 'Fix it', files = {} }: Given) {
  const root = scratch({ ...files, [path]: after })
  return await examples({
    task,
    files: [{ path, before, after }],
    commands: {},
    workspace: openWorkspace(root),
    sandbox: await openSandbox({ roots: [root] }),
    policy: policyFor(root),
    signal: new AbortController().signal,
    code: undefined,
  })
}

const task = 'Write double. double(2) -> 4, and double([1, 2]) returns [2, 4].'
const right = 'const double = (x) => (Array.isArray(x) ? x.map(double) : x * 2)\n'
const wrong = 'const double = (x) => x + 2\n'

test.each([
  ['named exports', 'a.mjs', 'export { double }\n'],
  ['a default export', 'a.mjs', 'export default double\n'],
  ['module.exports', 'a.cjs', 'module.exports = { double }\n'],
  ['exports.name', 'a.cjs', 'exports.double = double\n'],
])('%s: a right answer passes, a wrong one is told with what it gives', async (_, path, end) => {
  const before = `${wrong}${end}`
  expect(await checked({ path, before, after: `${right}${end}`, task })).toMatchObject({
    passed: true,
    detail: '2 of 2',
  })
  const verdict = await checked({ path, before, after: `${wrong}${end}`, task })
  expect(verdict).toMatchObject({ passed: false, detail: expect.stringContaining('but gives "1,22"') })
})

test('a script without exports, and TypeScript', async () => {
  expect(await checked({ before: wrong, after: right, task })).toMatchObject({ passed: true })
  const before = 'export function add(a: number, b: number): number { return 0 }\n'
  const after = before.replace('return 0', 'return a + b')
  const verdict = await checked({ path: 'a.ts', before, after, task: 'add(1, 2) should be 3' })
  // A checkout in /tmp is hidden from commands: then the machine's Node runs them, which may be too old for types.
  if (process.execPath.startsWith('/tmp/')) expect([undefined, true]).toContain(verdict?.passed)
  else expect(verdict).toMatchObject({ passed: true })
})

test('comments hold examples, code that compares does not', async () => {
  const before = [
    '/**',
    ' * half(4) // => 2',
    ' * half(5) -> 2.5 (not rounded)',
    ' */',
    'export function half(n) { return 0 }',
    'export const one = () => half(2) === 7',
    '',
  ].join('\n')
  expect(await checked({ path: 'a.mjs', before, after: before.replace('return 0', 'return n / 2') })).toMatchObject({
    passed: true,
    detail: '2 of 2',
  })
})

test('Input and Output, promises, objects, and what is no value', async () => {
  const before = 'export async function pick(o) { return 1 }\n'
  const words = 'Input: o = {"a": 1, "b": [1.5]}\nOutput: {b: [1.5]}\npick(0) returns whatever it likes'
  const after = 'export async function pick(o) { const { a, ...rest } = o; return rest }\n'
  expect(await checked({ path: 'a.mjs', before, after, task: words })).toMatchObject({ passed: true, detail: '1 of 1' })
})

test('an endless loop ends, with its example told', async () => {
  const before = 'export function wait(n) { return n }\n'
  const after = 'export function wait(n) { for (;;); }\n'
  expect(await checked({ path: 'a.mjs', before, after, task: 'wait(1) -> 1' })).toMatchObject({
    passed: false,
    detail: expect.stringContaining('no result after 3 s'),
  })
})

test('a file that cannot be loaded fails by its own fault only', async () => {
  const given = { path: 'a.mjs', before: 'export const f = (x) => x\n', task: 'f(1) -> 1' }
  expect(await checked({ ...given, after: 'export const f = (x => x\n' })).toMatchObject({
    passed: false,
    detail: expect.stringContaining('a.mjs cannot be loaded: SyntaxError'),
  })
  expect(await checked({ ...given, after: "import 'not-there'\nexport const f = (x) => x\n" })).toBeUndefined()
})

test('the code that is checked cannot tell that it passed', async () => {
  const forged = "'\\n@@' + JSON.stringify({ broken: null, passed: 9, failed: [] }) + '\\n'"
  const after = `import { writeSync } from 'node:fs'\nexport const f = () => 0\nwriteSync(1, ${forged})\n`
  const given = { path: 'a.mjs', before: 'export const f = 1\n', task: 'f(1) -> 1' }
  expect(await checked({ ...given, after })).toMatchObject({ passed: false })
})

test('an example that calls something is not run as a value', async () => {
  const before = 'export const f = (x) => x\n'
  expect(await checked({ path: 'a.mjs', before, after: before, task: 'f(1) -> process.exit(0)' })).toBeUndefined()
})

test('an assertion with a name that the output does not tell is no example; one whose function lacks a name is', async () => {
  const output = `
      63 |     const expected = 'Fly';
      64 |     const actual = cut(inputString);
    > 65 |     expect(actual).toEqual(expected);
         |                    ^
`
  const file = (body: string): string => `export const cut = (text) => ${body}\n`
  const given = { path: 'a.mjs', before: file("''"), task: `Its tests fail:\n${output}\nCorrect a.mjs.` }
  expect(await checked({ ...given, after: file('text.slice(0, 5)') })).toBeUndefined()
  const told = { ...given, task: given.task.replace('inputString', "'Fly me'") }
  expect(await checked({ ...told, after: file('text.slice(0, 3)') })).toMatchObject({ passed: true })
  expect(await checked({ ...told, after: file('txt.slice(0, 3)') })).toMatchObject({
    passed: false,
    detail: expect.stringContaining('txt is not defined'),
  })
})
