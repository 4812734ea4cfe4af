/** Our own file access, on a real disk; walked both through /proc (Linux) and by path (as on macOS). */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Workspace, WorkspaceError } from '../../sandbox/index.ts'
import { openWorkspaceBy } from '../../sandbox/workspace/open.ts'

let base: string
let root: string
beforeEach(() => {
  base = realpathSync(mkdtempSync(path.join(tmpdir(), 'workspace-')))
  root = path.join(base, 'root')
  for (const folder of ['root/src/deep', 'root/.git/hooks', 'outside'])
    mkdirSync(path.join(base, folder), { recursive: true })
  writeFileSync(path.join(base, 'outside/secret'), 'secret')
  writeFileSync(path.join(root, 'src/a.txt'), 'old')
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

const kindOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: WorkspaceError) => error.kind,
  )
const text = (bytes: Buffer): string => bytes.toString()

describe.each([true, false])('a workspace, through /proc: %s', (proc) => {
  let workspace: Workspace
  beforeEach(() => {
    workspace = openWorkspaceBy(root, proc)
  })
  const put = (file: string, content: string): Promise<void> => workspace.write(file, Buffer.from(content))

  test('understands every spelling of a path inside, and none outside', () => {
    for (const spelled of [
      'src/a.txt',
      './src/a.txt',
      'src/../src/a.txt',
      'src//a.txt',
      `${root}/src/a.txt`,
      'src/a.txt/',
    ]) {
      expect(workspace.relative(spelled)).toBe('src/a.txt')
    }
    for (const spelled of ['', '.', './', root, `${root}/`]) expect(workspace.relative(spelled)).toBe('.')
    expect(workspace.relative('./~/x')).toBe('~/x')
    for (const spelled of ['..', '~', '~/x', '../outside', '/etc/passwd', `${root}x/y`, 'src/../../outside', 'a\0b']) {
      expect(() => workspace.relative(spelled)).toThrow(/outside|NUL/)
    }
  })

  test('writes, reads, lists and removes', async () => {
    await put('new/folder/b.txt', 'hello')
    expect(text(await workspace.read('new/folder/b.txt'))).toBe('hello')
    expect(await workspace.list('.')).toEqual(['.git/', 'new/', 'src/'])
    expect(await workspace.stat('new/folder/b.txt')).toMatchObject({ kind: 'file', bytes: 5 })
    expect(await workspace.stat('new')).toMatchObject({ kind: 'directory' })
    await workspace.remove('new/folder/b.txt')
    expect(await workspace.stat('new/folder/b.txt')).toBeUndefined()
    expect(await workspace.stat('no/such/folder')).toBeUndefined()
  })

  test('keeps the mode of a file, leaves nothing beside it, and gives it a new inode', async () => {
    chmodSync(path.join(root, 'src/a.txt'), 0o751)
    const before = statSync(path.join(root, 'src/a.txt'))
    await put('src/a.txt', 'new')
    const after = statSync(path.join(root, 'src/a.txt'))
    expect(after.mode).toBe(before.mode)
    expect(after.ino).not.toBe(before.ino)
    expect(readdirSync(path.join(root, 'src')).sort()).toEqual(['a.txt', 'deep'])
  })

  test('tells what is missing, a folder, too large', async () => {
    expect(await kindOf(workspace.read('nope'))).toBe('not-found')
    expect(await kindOf(workspace.read('src/a.txt/x'))).toBe('not-found')
    expect(await kindOf(workspace.read('src'))).toBe('not-a-file')
    expect(await kindOf(workspace.list('src/a.txt'))).toBe('not-found')
    expect(await kindOf(workspace.read('src/a.txt', { maxBytes: 2 }))).toBe('too-large')
    expect(text(await workspace.read('src/a.txt', { maxBytes: 3 }))).toBe('old')
    expect(await kindOf(put('src', 'x'))).toBe('not-a-file')
    expect(await kindOf(put('.', 'x'))).toBe('not-a-file')
    expect(await kindOf(workspace.remove('src'))).toBe('not-a-file')
    expect(await kindOf(put('a'.repeat(300), 'x'))).toBe('io')
  })

  test('reads through links that stay inside, however they are written', async () => {
    symlinkSync('src', path.join(root, 'relative'))
    symlinkSync(path.join(root, 'src'), path.join(root, 'absolute'))
    symlinkSync('../../src/a.txt', path.join(root, 'src/deep/up'))
    symlinkSync('relative/deep/up', path.join(root, 'chain'))
    for (const file of ['relative/a.txt', 'absolute/a.txt', 'src/deep/up', 'chain']) {
      expect(text(await workspace.read(file))).toBe('old')
    }
    expect(await workspace.list('relative')).toEqual(['a.txt', 'deep/'])
    expect(await workspace.stat('chain')).toMatchObject({ kind: 'link' })
    expect(await workspace.stat('relative/a.txt')).toMatchObject({ kind: 'file' })
  })

  test('follows no link that leads out, not even to come back', async () => {
    symlinkSync('../outside', path.join(root, 'out'))
    symlinkSync(path.join(base, 'outside/secret'), path.join(root, 'file'))
    symlinkSync('../root/src', path.join(root, 'boomerang'))
    symlinkSync('loop', path.join(root, 'loop'))
    symlinkSync(`/proc/self/root${base}/outside`, path.join(root, 'magic'))
    for (const file of ['out/secret', 'file', 'boomerang/a.txt', 'loop', 'magic/secret']) {
      expect(await kindOf(workspace.read(file))).toBe('link')
    }
    expect(await kindOf(workspace.list('out'))).toBe('link')
    expect(await kindOf(put('out/new', 'x'))).toBe('link')
    expect(await kindOf(put('file', 'x'))).toBe('link')
    expect(await kindOf(workspace.remove('out/secret'))).toBe('link')
    expect(readdirSync(path.join(base, 'outside'))).toEqual(['secret'])
    expect(readFileSync(path.join(base, 'outside/secret'), 'utf8')).toBe('secret')
  })

  test('writes through no link at all, and names the real file', async () => {
    symlinkSync('src', path.join(root, 'alias'))
    symlinkSync('src/a.txt', path.join(root, 'last'))
    symlinkSync('.git', path.join(root, 'innocent'))
    await expect(put('alias/a.txt', 'x')).rejects.toThrow(/real file instead: src\/a\.txt/)
    await expect(put('last', 'x')).rejects.toThrow(/real file instead: src\/a\.txt/)
    expect(await kindOf(put('innocent/config', 'x'))).toBe('link')
    expect(readFileSync(path.join(root, 'src/a.txt'), 'utf8')).toBe('old')
  })

  test('removes a link itself, never what it leads to', async () => {
    symlinkSync('../outside/secret', path.join(root, 'file'))
    await workspace.remove('file')
    expect(existsSync(path.join(root, 'file'))).toBe(false)
    expect(existsSync(path.join(base, 'outside/secret'))).toBe(true)
  })

  test.each([
    '.git/config',
    '.git/hooks/pre-commit',
    '.git',
    'sub/.git/config',
    '.GIT/config',
    '.g\u200cit/config',
    'git~1/x',
  ])('does not write %s', async (file) => {
    expect(await kindOf(put(file, 'x'))).toBe('protected')
    expect(await kindOf(workspace.remove(file))).toBe('protected')
  })

  test('does not write where a .git file points', async () => {
    rmSync(path.join(root, '.git'), { recursive: true })
    mkdirSync(path.join(root, '.bare'))
    writeFileSync(path.join(root, '.git'), 'gitdir: ./.bare\n')
    const again = openWorkspaceBy(root, proc)
    expect(await kindOf(again.write('.bare/config', Buffer.from('x')))).toBe('protected')
  })

  test('refuses what is no plain file of one name', async () => {
    linkSync(path.join(base, 'outside/secret'), path.join(root, 'hard'))
    execFileSync('mkfifo', [path.join(root, 'fifo')])
    expect(await kindOf(put('hard', 'x'))).toBe('link')
    expect(await kindOf(put('fifo', 'x'))).toBe('not-a-file')
    expect(await kindOf(workspace.read('fifo'))).toBe('not-a-file')
    expect(await kindOf(workspace.remove('fifo'))).toBe('not-a-file')
    expect(readFileSync(path.join(base, 'outside/secret'), 'utf8')).toBe('secret')
    expect(text(await workspace.read('hard'))).toBe('secret')
  })

  test('a write that fails changes nothing and leaves nothing', async () => {
    await expect(workspace.write('src/a.txt', 5 as unknown as Buffer)).rejects.toThrow()
    expect(readFileSync(path.join(root, 'src/a.txt'), 'utf8')).toBe('old')
    expect(readdirSync(path.join(root, 'src')).sort()).toEqual(['a.txt', 'deep'])
  })

  test('keeps no descriptor open', async () => {
    const count = (): number => readdirSync('/proc/self/fd').length
    const before = count()
    symlinkSync('../outside', path.join(root, 'out'))
    for (let round = 0; round < 50; round++) {
      await put('src/deep/x/y', 'x')
      await kindOf(workspace.read('out/secret'))
      await kindOf(workspace.read('src/nope/x'))
      await workspace.list('src')
    }
    expect(count()).toBeLessThanOrEqual(before + 2)
  })
})
