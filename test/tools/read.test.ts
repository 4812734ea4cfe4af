import { symlinkSync } from 'node:fs'
import iconv from 'iconv-lite'
import { expect, test } from 'vitest'
import { call, reasonOf, toolContext } from './support/context.ts'
import { workTree } from './support/workspace.ts'

async function read(files: Readonly<Record<string, string | Buffer>>, args: object) {
  await using tree = await disposable(files)
  // Awaited here: the folder goes away when this function returns.
  return await call(toolContext(tree.workspace), 'read', args)
}

async function disposable(files: Readonly<Record<string, string | Buffer>>) {
  const tree = await workTree(files)
  return { ...tree, [Symbol.asyncDispose]: tree.remove }
}

test('shows lines with numbers and says how many there are', async () => {
  const result = await read({ 'a.txt': 'one\ntwo\n\nfour' }, { path: './a.txt' })
  expect(result).toMatchObject({ ok: true, content: 'a.txt: 4 lines\n1\tone\n2\ttwo\n3\t\n4\tfour' })
  expect(result.details).toEqual({ kind: 'read', path: 'a.txt', fromLine: 1, toLine: 4, totalLines: 4 })
})

test('a range; past the end; backwards', async () => {
  const files = { 'a.txt': '1\n2\n3\n4\n' }
  expect((await read(files, { path: 'a.txt', from: 2, to: 3 })).content).toBe('a.txt: lines 2-3 of 4\n2\t2\n3\t3')
  expect((await read(files, { path: 'a.txt', from: 3, to: 99 })).content).toBe('a.txt: lines 3-4 of 4\n3\t3\n4\t4')
  expect((await read(files, { path: 'a.txt', from: 5 })).content).toBe('a.txt has 4 lines; line 5 is past the end.')
  expect(reasonOf(await read(files, { path: 'a.txt', from: 3, to: 2 }))).toBe('bad-arguments')
  expect((await read({ e: '' }, { path: 'e' })).content).toBe('e: empty')
})

test('what does not fit is cut, with the way to go on', async () => {
  const long = await read({ 'a.txt': `${'x'.repeat(5000)}\nend\n` }, { path: 'a.txt' })
  expect(long.content).toContain('… (line cut, 5000 characters)\n2\tend')
  const many = await read({ 'a.txt': 'line\n'.repeat(5000) }, { path: 'a.txt' })
  expect(many.content).toMatch(/^a\.txt: lines 1-2000 of 5000\n/)
  expect(many.content).toMatch(/\(cut here: read on with from: 2001\)$/)
  expect(many.content.length).toBeLessThan(40_000)
})

test('where the context is small, less is shown', async () => {
  await using tree = await disposable({ 'a.txt': 'some line\n'.repeat(500) })
  const result = await call({ ...toolContext(tree.workspace), maxChars: 600 }, 'read', { path: 'a.txt', from: 100 })
  expect(result.content.length).toBeLessThan(750)
  expect(result.content).toMatch(/^a\.txt: lines 100-14\d of 500\n/)
  expect(result.content).toMatch(/read on with from: 14\d\)$/)
})

test('the spelling of a file is told in a word', async () => {
  expect((await read({ a: 'a\r\nb\r\n' }, { path: 'a' })).content).toBe('a: 2 lines (crlf)\n1\ta\n2\tb')
  const utf16 = Buffer.from('\ufeffnaïve\r\n', 'utf16le')
  expect((await read({ a: utf16 }, { path: 'a' })).content).toBe('a: 1 lines (utf-16le, crlf)\n1\tnaïve')
  expect((await read({ a: '\ufeffx\n' }, { path: 'a' })).content).toBe('a: 1 lines (utf-8-bom)\n1\tx')
  const japanese = '設定ファイルを読み込みます。エラーが発生した場合は例外を投げます。\n'
  const shiftJis = await read({ a: iconv.encode(japanese, 'shift_jis') }, { path: 'a' })
  expect(shiftJis.content).toBe(`a: 1 lines (shift_jis)\n1\t${japanese.trim()}`)
})

test('what is no text is refused with its size', async () => {
  const binary = await read({ 'a.png': Buffer.from([0x89, 0x50, 0, 1, 2]) }, { path: 'a.png' })
  expect(binary).toMatchObject({ ok: false, content: 'a.png is a binary file (5 bytes), not text.' })
  expect(reasonOf(binary)).toBe('binary')
  const huge = await read({ 'a.log': Buffer.alloc(11_000_000, 'x') }, { path: 'a.log' })
  expect(huge.content).toContain('too large (11.0 MB')
  expect(reasonOf(huge)).toBe('too-large')
  const folder = await read({ 'src/a.ts': '' }, { path: 'src' })
  expect(folder.content).toContain('Use list')
})

test('a missing file names the paths most like it', async () => {
  const files = { 'src/deep/page.ts': 'x', 'src/other.ts': 'y' }
  expect((await read(files, { path: 'page.ts' })).content).toBe('page.ts was not found. Did you mean src/deep/page.ts?')
  expect((await read(files, { path: 'src/othr.ts' })).content).toContain('Did you mean src/other.ts?')
  expect((await read(files, { path: 'zzzzzz' })).content).toContain('Use list')
})

test('nothing outside the work tree is read', async () => {
  await using tree = await disposable({ 'in.txt': 'in' })
  symlinkSync('/etc/passwd', `${tree.root}/link`)
  symlinkSync('in.txt', `${tree.root}/inside`)
  const context = toolContext(tree.workspace)
  for (const path of ['/etc/passwd', '../../etc/passwd', 'link', 'a\0b']) {
    const result = await call(context, 'read', { path })
    expect(result.ok, path).toBe(false)
    expect(result.content).not.toContain('root:')
  }
  expect((await call(context, 'read', { path: 'inside' })).content).toContain('1\tin')
})
