import { execFileSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ToolContext } from '../../tools/index.ts'
import { call, reasonOf, toolContext } from './support/context.ts'
import { type WorkTree, workTree } from './support/workspace.ts'

let tree: WorkTree
let context: ToolContext
beforeAll(async () => {
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`many/d${i % 7}/f${i}.txt`, `needle ${i}\n`]))
  tree = await workTree({
    '.gitignore': 'dist/\n*.log\n',
    '.github/ci.yml': 'on: push\n',
    'src/a.ts': 'export const Alpha = 1\nconst beta = Alpha + (2)\r\n',
    'src/deep/b.ts': '// alpha\n',
    '-dash.txt': 'dash (2)\n',
    'dist/out.js': 'Alpha\n',
    'x.log': 'Alpha\n',
    ...many,
  })
  symlinkSync('/etc', `${tree.root}/etc-link`)
  context = toolContext(tree.workspace)
})
afterAll(() => tree.remove())

describe('list', () => {
  test('shows folders where all files are too many, and what git ignores not at all', async () => {
    const { content } = await call(context, 'list', {})
    expect(content).toMatch(/^many\/d\d\/ \(43 files\)$/m)
    expect(content).toContain('.github/ci.yml')
    expect(content).toContain('src/deep/b.ts')
    expect(content).not.toMatch(/dist|x\.log/)
  })
  test('a folder, a depth', async () => {
    expect((await call(context, 'list', { path: 'src' })).content).toBe('src/a.ts\nsrc/deep/b.ts')
    expect((await call(context, 'list', { path: 'src', depth: 1 })).content).toBe('src/a.ts\nsrc/deep/ (1 file)')
    const top = await call(context, 'list', { depth: 1 })
    expect(top.content).toContain('many/ (300 files)')
    expect(top.details).toEqual({ kind: 'list', path: '.', entries: 5 })
  })
  test('caps a wide folder and counts what is left out', async () => {
    const wide = await workTree(Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`f${i}`, ''])))
    const { content } = await call(toolContext(wide.workspace), 'list', {})
    expect(content).toContain('… and 50 not shown')
    await wide.remove()
  })
  test('refuses files, links, what is missing and what is outside', async () => {
    expect(reasonOf(await call(context, 'list', { path: 'src/a.ts' }))).toBe('not-a-file')
    expect(reasonOf(await call(context, 'list', { path: 'etc-link' }))).toBe('not-a-file')
    expect(reasonOf(await call(context, 'list', { path: 'srcc' }))).toBe('not-found')
    expect(reasonOf(await call(context, 'list', { path: '/etc' }))).toBe('outside')
  })
  test('runs nothing that the repository configures', async () => {
    const repository = await workTree({ 'a.txt': 'needle' })
    const git = (...args: string[]) => execFileSync('git', args, { cwd: repository.root })
    git('init', '-q')
    git('config', 'core.fsmonitor', `touch ${repository.root}/ran; false`)
    await call(toolContext(repository.workspace), 'list', {})
    await call(toolContext(repository.workspace), 'search', { pattern: 'needle' })
    expect((await call(toolContext(repository.workspace), 'list', {})).content).toBe('a.txt')
    await repository.remove()
  })
})

describe('search', () => {
  test('groups matches by file, with line numbers', async () => {
    const result = await call(context, 'search', { pattern: 'alpha', path: 'src' })
    expect(result.content).toBe(
      'src/a.ts\n1: export const Alpha = 1\n2: const beta = Alpha + (2)\nsrc/deep/b.ts\n1: // alpha',
    )
    expect(result.details).toEqual({ kind: 'search', pattern: 'alpha', matches: 3 })
  })
  test('capital letters in the pattern count', async () => {
    expect((await call(context, 'search', { pattern: 'Alpha', glob: '*.ts' })).details).toMatchObject({ matches: 2 })
  })
  test('plain text, a file, a name that looks like an option', async () => {
    const result = await call(context, 'search', { pattern: '(2)', literal: true, path: '-dash.txt' })
    expect(result.content).toBe('-dash.txt\n1: dash (2)')
    expect((await call(context, 'search', { pattern: '--files' })).content).toBe('No matches.')
    expect((await call(context, 'search', { pattern: 'x', glob: '--pre=id' })).content).toBe('No matches.')
  })
  test('caps, and counts what is left out', async () => {
    const { content, details } = await call(context, 'search', { pattern: 'needle' })
    expect(content).toContain('… and 200 matches not shown')
    expect(details).toMatchObject({ matches: 300 })
  })
  test('a bad expression says so and names the way out', async () => {
    const result = await call(context, 'search', { pattern: 'foo(' })
    expect(reasonOf(result)).toBe('bad-arguments')
    expect(result.content).toContain('literal: true')
  })
  test('refuses links, what is outside, and nonsense', async () => {
    expect(reasonOf(await call(context, 'search', { pattern: 'root', path: 'etc-link' }))).toBe('not-a-file')
    expect(reasonOf(await call(context, 'search', { pattern: 'root', path: '/etc' }))).toBe('outside')
    expect(reasonOf(await call(context, 'search', { pattern: '' }))).toBe('bad-arguments')
    expect(reasonOf(await call(context, 'search', { pattern: 'a\0b' }))).toBe('bad-arguments')
    expect((await call(context, 'search', { pattern: 'root:x' })).content).toBe('No matches.')
  })
  test('can be stopped', async () => {
    const stopped = toolContext(tree.workspace, { signal: AbortSignal.abort() })
    expect(reasonOf(await call(stopped, 'search', { pattern: 'x' }))).toBe('aborted')
  })
})

test('where the context is small, results are short and say so', async () => {
  const small = { ...context, maxChars: 1000 }
  const listed = await call(small, 'list', {})
  expect(listed.content.length).toBeLessThan(1000)
  expect(listed.content).toContain('many/d0/ (43 files)')
  const found = await call(small, 'search', { pattern: 'needle' })
  expect(found.content.length).toBeLessThan(1500)
  expect(found.content).toMatch(/… and \d+ matches not shown/)
})
