import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { resolveMentions } from '../../../src/run/mentions.ts'

let home: string
let tree: string
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'cachalot-mentions-'))
  tree = join(home, 'tree')
  mkdirSync(join(tree, 'src'), { recursive: true })
  writeFileSync(join(tree, 'src', 'a.ts'), 'a\n')
  writeFileSync(join(home, 'log.txt'), 'a ``` b\n')
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

test('a file of the work tree is named, from wherever it was called', () => {
  expect(resolveMentions(['Fix', '@a.ts'], tree, { cwd: join(tree, 'src') })).toEqual(['Fix', 'src/a.ts'])
})

test('a file from elsewhere is put in, with a fence that it cannot close', () => {
  expect(resolveMentions(['Explain', '@../log.txt'], tree, { cwd: tree })).toEqual([
    'Explain',
    '../log.txt',
    '\n\n../log.txt:\n````\na ``` b\n````',
  ])
})

test('words in a quoted task are left as they are; a missing file and a folder outside are refused', () => {
  expect(resolveMentions(['ask @me', 'a@b.org', '@'], tree, { cwd: tree })).toEqual(['ask @me', 'a@b.org', '@'])
  expect(() => resolveMentions(['@gone.ts'], tree, { cwd: tree })).toThrow(/quote the whole task/)
  expect(() => resolveMentions([`@${home}`], tree, { cwd: tree })).toThrow(/only files/)
})
