/** The tools `outline` and `symbols` on real files. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openWorkspace } from '../../../sandbox/index.ts'
import { openCode } from '../../../tools/index.ts'
import { call, reasonOf, toolContext } from '../support/context.ts'

const root = mkdtempSync(join(tmpdir(), 'cachalot-code-tools-'))
const code = openCode()
const context = toolContext(openWorkspace(root), { code })
afterAll(async () => {
  await code.close()
  rmSync(root, { recursive: true, force: true })
})
mkdirSync(join(root, 'src'))
writeFileSync(join(root, 'src/a.ts'), '// area is not used here\nexport function area(r: number) {\n  return r\n}\n')
writeFileSync(join(root, 'src/b.ts'), "import { area } from './a.ts'\n\nconsole.log('area', area(2))\n")
writeFileSync(join(root, 'notes.txt'), 'area\n')

test('outline of a file and of a folder', async () => {
  expect((await call(context, 'outline', { path: 'src/a.ts' })).content).toBe(
    'src/a.ts\n2: export function area(r: number)',
  )
  expect((await call(context, 'outline', { path: 'src' })).content).toContain('2: export function area(r: number)')
  expect(reasonOf(await call(context, 'outline', { path: 'notes.txt' }))).toBe('no-match')
  expect(reasonOf(await call(context, 'outline', { path: 'src/c.ts' }))).toBe('not-found')
  expect(reasonOf(await call(context, 'outline', { path: '../x' }))).toBe('outside')
})

test('symbols: where a name is defined and used, not where it is only said', async () => {
  const { content } = await call(context, 'symbols', { name: 'area()' })
  expect(content).toBe(
    [
      'Defined:',
      'src/a.ts:2: export function area(r: number)',
      'Used:',
      "src/b.ts:1: import { area } from './a.ts'",
      "src/b.ts:3: console.log('area', area(2))",
    ].join('\n'),
  )
  expect(reasonOf(await call(context, 'symbols', { name: 'nowhere' }))).toBe('no-match')
  expect(reasonOf(await call(context, 'symbols', { name: '-- ; rm' }))).toBe('no-match')
  expect(reasonOf(await call(context, 'symbols', { name: '()' }))).toBe('bad-arguments')
})
