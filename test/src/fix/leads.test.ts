/** What a log leads to, and what a model is told of it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CheatKind } from '../../../src/fix/cheat-patterns.ts'
import { leadsOf } from '../../../src/fix/leads.ts'
import { firstTask, nextTask, putBackText } from '../../../src/fix/tasks.ts'

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'cachalot-leads-'))
  const files = {
    'conf/site.json': '{\n  "a": 1\n  "b": 2\n}\n',
    'tsconfig.json': '{\n  // settings\n  "a": 1,\n}\n',
    'fine.json': '{}\n',
    'src/conf.js': "const file = '../conf/site.json'\nexport const conf = () => JSON.parse(readFileSync(file))\n",
    'test/conf.test.js':
      "import { conf } from '../src/conf.js'\n\ntest('a', () => {\n  assert.equal(conf().a, 1)\n})\n",
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const run = (output: string) => ({ passed: false, end: 'exit 1', output: output.replaceAll('ROOT', root), seconds: 1 })
const check = () => ({ command: 'npm test', cwd: root })
const leads = (output: string) => leadsOf(run(output), check(), new Set())
const inJson = "SyntaxError: Expected ',' in JSON at position 13\n    at conf (file://ROOT/src/conf.js:2:33)\n"
const small = { small: true, allowed: new Set<CheatKind>() }
const failing = '✖ a\n  AssertionError: 2 !== 1\n    at Test.<anonymous> (file://ROOT/test/conf.test.js:4:10)\n'

test('data that could not be read comes first, with its line and what is wrong; with comments it is other data', () => {
  const { suspects, hints } = leads(inJson)
  expect(suspects).toEqual([
    { path: 'conf/site.json', line: 3 },
    { path: 'src/conf.js', line: 2 },
  ])
  expect(hints).toEqual([expect.stringMatching(/^conf\/site\.json cannot be read as JSON: .*line 3/)])
  expect(leads('Error: no\n    at conf (file://ROOT/src/conf.js:2:33)\n').suspects).toEqual([
    { path: 'src/conf.js', line: 2 },
  ])
})

test('a small model is told the failing test itself, a large one where it is; both what the cause is likely in', () => {
  const task = firstTask(check(), run(failing), leads(failing), small)
  expect(task).toContain(
    "This is tested in test/conf.test.js, line 4, which stays as it is:\n```\ntest('a', () => {\n  assert.equal(conf().a, 1)\n})\n```",
  )
  expect(task).toContain('The cause is likely in src/conf.js (conf).')
  const large = firstTask(check(), run(failing), leads(failing), { ...small, small: false })
  expect(large).not.toContain('This is tested')
  expect(large).toContain('The cause is likely in src/conf.js (conf).')
})

test('what is allowed is not forbidden in words', () => {
  const task = (...allowed: CheatKind[]) =>
    firstTask(check(), run(failing), leads(failing), { small: true, allowed: new Set(allowed) })
  expect(task()).toContain('Do not change tests, snapshots, CI files, lock files or the check itself, and skip')
  expect(task('snapshots')).toContain('Do not change tests, CI files, lock files or the check itself, and skip')
  expect(task('tests', 'snapshots', 'ci', 'locks')).toContain('Do not change the check itself, and skip')
})

test('a later round tells what the check says now, and what was put back', () => {
  const cheats = [{ kind: 'tests', path: 'test/conf.test.js', what: 'changes a test' }] as const
  const told = nextTask(check(), run(failing), leads(failing), { cheats, differs: true, ...small })
  expect(told).toMatch(/^test\/conf\.test\.js was put back: it changes a test\.\n`npm test` still fails/)
  expect(told).toContain('assert.equal(conf().a, 1)')
  expect(putBackText([], leads(failing))).toBeUndefined()
  expect(putBackText(cheats, leads(failing))).toBe(
    'test/conf.test.js was put back: it changes a test.\nWhat checks the code stays as it is: correct the code itself, likely in src/conf.js (conf).',
  )
  const many = Array.from({ length: 20 }, (_, n) => ({ ...cheats[0], path: `test/${n}.test.js` }))
  expect(putBackText(many, leads(failing))).toMatch(/test\/4\.test\.js was.*\nAnd 15 more\.\nWhat/)
})
