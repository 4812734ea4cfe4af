/** Grammars at work in a session: outlines in the packing, a map for small contexts, faults of edits told at once. */
import { afterAll, expect, test } from 'vitest'
import { syntax } from '../../agent/checks/syntax.ts'
import { planRepository } from '../../agent/context/repository/plan.ts'
import { faultsOf } from '../../agent/turn/readable.ts'
import { openWorkspace } from '../../sandbox/index.ts'
import { openCode, renderOutline } from '../../tools/index.ts'
import { missingSandbox, perform, policyFor, put, scratch, stage } from './support.ts'

const code = openCode()
afterAll(() => code.close())

const countTokens = async (text: string): Promise<number> => Math.ceil(text.length / 3)
const planOf = (root: string, budgetTokens: number) =>
  planRepository({
    root,
    budgetTokens,
    countTokens,
    async outlineOf(path, text) {
      const entries = await code.outline(path, text)
      return entries === undefined ? undefined : renderOutline(entries)
    },
    rankOf: code.rank,
  })

test('a small context gets a map: what others lean on is outlined first, the same each time', async () => {
  const root = scratch()
  const body = '  const x = 1\n'.repeat(60)
  put(root, { 'src/z-core.ts': `export function central(a: number): number {\n${body}  return a\n}\n` })
  for (let n = 0; n < 30; n++)
    put(root, { [`src/f${n}.ts`]: `export function own${n}(): number {\n${body}  return central(${n})\n}\n` })
  const made = await planOf(root, 1200)
  // What is left of the room goes to the same files, whole.
  expect(made.whole[0]?.path).toBe('src/z-core.ts')
  const tight = await planOf(root, 700)
  expect(tight.text).toContain('src/z-core.ts\n1: export function central(a: number): number')
  expect(tight.whole).toEqual([])
  expect(made.tokens).toBeLessThanOrEqual(1200)
  expect(made.files.filter(({ state }) => state === 'outlined').length).toBeGreaterThan(8)
  expect((await planOf(root, 1200)).text).toBe(made.text)
  // All of it fits: nothing is outlined.
  const roomy = await planOf(root, 12_000)
  expect(roomy.files.every(({ state }) => state === 'whole')).toBe(true)
})

test('a big file is outlined where there is room', async () => {
  const root = scratch({ 'big.go': `package a\n\nfunc Big(x int) int {\n${'\tx++\n'.repeat(30_000)}\treturn x\n}\n` })
  const made = await planOf(root, 30_000)
  expect(made.text).toContain('big.go\n3: func Big(x int) int')
  expect(made.files[0]).toMatchObject({ state: 'outlined', reason: 'big' })
})

test('where a grammar gives up on the whole file, the line of the change is told', async () => {
  const ruby = 'require "x"\n\ndef a\n  1\nend\n\ndef b\n  2\nend\n\ndef c\n  3\nend\n'
  const told = await faultsOf({ path: 'a.rb', before: ruby, after: ruby.replace('  2\nend', '  2') }, code)
  expect(told[0]).toMatch(/^a\.rb: line 1: syntax error at `.*`; what broke it is the change at line 9$/)
  const near = await faultsOf({ path: 'a.ts', before: 'a()\nb()\n', after: 'a()\nb((\n' }, code)
  expect(near.join()).not.toContain('the change at')
})

test('an edit that breaks a file is told with its line; one that leaves it broken is not', async () => {
  const files = { 'a.ts': 'export const a = 1\nexport const b = 2\n', 'old.ts': 'const x = ;\nconst y = 2\n' }
  const at = await stage(
    [
      { calls: [{ name: 'edit', arguments: { path: 'a.ts', old: 'b = 2', new: 'b = ' } }] },
      { calls: [{ name: 'edit', arguments: { path: 'old.ts', old: 'y = 2', new: 'y = 3' } }] },
      { calls: [{ name: 'edit', arguments: { path: 'a.ts', old: 'b = ', new: 'b = 3' } }] },
      { text: 'Done.' },
    ],
    { files, code, mode: 'full-access' },
  )
  const { events, exit, checks } = await perform(at, 'Change a.ts')
  const results = events.flatMap((event) => (event.type === 'tool-result' ? [event.result.content] : []))
  expect(results[0]).toMatch(/This can no longer be parsed:\na\.ts: line 2: /)
  expect(results[1]).not.toContain('parsed')
  expect(results[2]).not.toContain('parsed')
  expect(checks[0]).toMatchObject({ name: 'syntax', passed: true })
  expect(exit).toBe('done')
})

test('the syntax rung judges languages without a program of their own', async () => {
  const root = scratch()
  const context = {
    task: 'Fix it',
    commands: {},
    workspace: openWorkspace(root),
    sandbox: missingSandbox,
    policy: policyFor(root),
    signal: new AbortController().signal,
    code,
  }
  const judge = (path: string, before: string | null, after: string) =>
    syntax({ ...context, files: [{ path, before, after }] })
  expect(await judge('a.rs', 'fn f() {}\n', 'fn f() {\n')).toMatchObject({ passed: false })
  expect(await judge('a.go', null, 'package a\n\nfunc f( {\n')).toMatchObject({ passed: false })
  expect(await judge('a.rs', 'fn f() {}\n', 'fn g() {}\n')).toMatchObject({ passed: true })
  // Macros are beyond a grammar: only what gets worse counts.
  const macros = 'BEGIN_THING(x)\nint f() { return 1; }\nEND_THING\n'
  expect(await judge('a.cpp', null, macros)).toMatchObject({ passed: true })
  expect(await judge('a.cpp', macros, macros.replace('1', '2'))).toMatchObject({ passed: true })
  expect(await judge('notes.txt', null, 'x')).toBeUndefined()
})

test('tools that ask a grammar are offered where there is one, but not to a small model', async () => {
  const names = async (prompt: 'full' | 'small', grammar: boolean) => {
    const at = await stage([{ text: 'Hello.' }], { ...(grammar ? { code } : {}), info: { prompt } })
    await perform(at, 'Say hello')
    const [system] = at.model.requests[0]!.messages
    return system?.role === 'system' ? system.tools.map(({ name }) => name) : []
  }
  expect(await names('full', true)).toEqual(expect.arrayContaining(['outline', 'symbols']))
  expect(await names('full', false)).not.toContain('outline')
  expect(await names('small', true)).not.toContain('symbols')
})
