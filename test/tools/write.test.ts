import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { call, reasonOf, toolContext } from './support/context.ts'
import { type WorkTree, workTree } from './support/workspace.ts'

let tree: WorkTree
beforeEach(async () => {
  tree = await workTree({ 'unix.txt': 'a\nb\n', 'dos.txt': '\ufeffa\r\nb\r\n', 'mixed.txt': 'a\r\nb\nc\r\n' })
})
afterEach(() => tree.remove())

const write = (path: string, content: string) => call(toolContext(tree.workspace), 'write', { path, content })
const file = (path: string): string => readFileSync(`${tree.root}/${path}`, 'utf8')

test('makes a file and its folders', async () => {
  const result = await write('a/b/c.txt', 'x\ny\n')
  expect(result).toMatchObject({ ok: true, content: 'Made a/b/c.txt (2 lines).' })
  expect(result.details).toEqual({ kind: 'change', path: 'a/b/c.txt', before: null, after: 'x\ny\n' })
  expect(file('a/b/c.txt')).toBe('x\ny\n')
})

test('keeps byte order mark, line endings and mode of a file', async () => {
  chmodSync(`${tree.root}/dos.txt`, 0o755)
  const result = await write('dos.txt', 'a\nc\n')
  expect(result.content).toBe('Replaced dos.txt (2 lines, was 2).')
  expect(file('dos.txt')).toBe('\ufeffa\r\nc\r\n')
  expect(statSync(`${tree.root}/dos.txt`).mode & 0o777).toBe(0o755)
  await write('mixed.txt', 'a\nx\nb\nc\n')
  expect(file('mixed.txt')).toBe('a\r\nx\r\nb\nc\r\n')
  await write('mixed.txt', 'a\nx\nb')
  expect(file('mixed.txt')).toBe('a\r\nx\r\nb')
})

test('content with its own endings is taken as it is', async () => {
  await write('unix.txt', 'a\r\nb\r\n')
  expect(file('unix.txt')).toBe('a\r\nb\r\n')
})

test('content that changes no byte is a failure', async () => {
  const { mtimeMs } = statSync(`${tree.root}/dos.txt`)
  expect(reasonOf(await write('dos.txt', 'a\nb\n'))).toBe('no-change')
  expect(reasonOf(await write('mixed.txt', 'a\nb\nc\n'))).toBe('no-change')
  expect(statSync(`${tree.root}/dos.txt`).mtimeMs).toBe(mtimeMs)
})

test('folders, binary files and places outside are refused', async () => {
  expect(reasonOf(await write('.', 'x'))).toBe('not-a-file')
  expect(reasonOf(await write('../x.txt', 'x'))).toBe('outside')
  expect(reasonOf(await write('.git/config', 'x'))).toBe('denied')
  expect(existsSync(`${tree.root}/../x.txt`)).toBe(false)
})

test('a stopped call writes nothing', async () => {
  const context = toolContext(tree.workspace, { signal: AbortSignal.abort() })
  expect(reasonOf(await call(context, 'write', { path: 'unix.txt', content: 'z' }))).toBe('aborted')
  expect(file('unix.txt')).toBe('a\nb\n')
})
