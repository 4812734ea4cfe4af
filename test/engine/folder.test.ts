import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Folder } from '../../engine/host/folder.ts'

let base = ''
let root = ''
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'cachalot-folder-')))
  root = join(base, 'work')
  mkdirSync(join(root, 'src'), { recursive: true })
  mkdirSync(join(base, 'keys'))
  writeFileSync(join(base, 'keys/a.txt'), 'secret')
  for (const path of ['src/a.txt', 'b.txt', 'c.txt', 'unseen.txt']) writeFileSync(join(root, path), `text of ${path}`)
})
afterEach(() => rmSync(base, { recursive: true }))
const seen = ['src/a.txt', 'b.txt', 'c.txt']

test('the text of a file is looked at only where the model has been shown the file', () => {
  const folder = new Folder({ path: root, seen })
  expect(folder.text('src/a.txt')).toBe('text of src/a.txt')
  expect(folder.isFile('unseen.txt')).toBe(true)
  expect(folder.text('unseen.txt')).toBeUndefined()
})

test('what was put in the place of a file since it was listed is not read, and not waited for', () => {
  const folder = new Folder({ path: root, seen })
  for (const path of seen) expect(folder.isFile(path)).toBe(true)
  // A folder on the way, the file itself, a pipe; and another name of a file elsewhere.
  renameSync(join(root, 'src'), join(root, 'old'))
  symlinkSync(join(base, 'keys'), join(root, 'src'))
  rmSync(join(root, 'b.txt'))
  symlinkSync(join(base, 'keys/a.txt'), join(root, 'b.txt'))
  rmSync(join(root, 'c.txt'))
  execFileSync('mkfifo', [join(root, 'c.txt')])
  for (const path of seen) expect(folder.text(path)).toBeUndefined()
  rmSync(join(root, 'b.txt'))
  linkSync(join(base, 'keys/a.txt'), join(root, 'b.txt'))
  expect(new Folder({ path: root, seen }).text('b.txt')).toBeUndefined()
})
