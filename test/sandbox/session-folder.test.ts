import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openSessionFolder } from '../../sandbox/session-folder.ts'

let base: string
beforeEach(() => {
  base = realpathSync(mkdtempSync(path.join(tmpdir(), 'folder-')))
  vi.stubEnv('TMPDIR', base)
})
afterEach(() => {
  vi.unstubAllEnvs()
  // A folder just opened still has its first pipes made in it.
  rmSync(base, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
})

/** No process has this id: it is beyond the kernel's largest. */
const GONE = 4_194_305

test('is private to the user', () => {
  const folder = openSessionFolder([], '/usr/bin:/bin')
  expect(path.dirname(folder.path)).toBe(base)
  expect(statSync(folder.path).mode & 0o777).toBe(0o700)
})

test('is not made where commands may write', () => {
  expect(openSessionFolder([base], '').path.startsWith(`${base}/`)).toBe(false)
})

test('what a killed process left is removed; what lives, or may be a trap, stays', () => {
  const left = path.join(base, `cachalot-box-${GONE}-abc`)
  const living = path.join(base, `cachalot-box-${process.pid}-abc`)
  const open = path.join(base, `cachalot-box-${GONE}-open`)
  const link = path.join(base, `cachalot-box-${GONE}-link`)
  const precious = path.join(base, 'precious')
  for (const folder of [left, living, precious]) mkdirSync(folder, { mode: 0o700 })
  mkdirSync(open, { mode: 0o777 })
  writeFileSync(path.join(left, 'x'), '')
  writeFileSync(path.join(precious, 'x'), '')
  symlinkSync(precious, link)
  openSessionFolder([], '')
  expect(existsSync(left)).toBe(false)
  expect(existsSync(living)).toBe(true)
  expect(existsSync(open)).toBe(true)
  expect(existsSync(path.join(precious, 'x'))).toBe(true)
})

test('a pipe has no name any more and carries what is written to it', async () => {
  const folder = openSessionFolder([], '/usr/bin:/bin')
  const pipes = await Promise.all(Array.from({ length: 40 }, () => folder.openPipe()))
  expect(new Set(pipes.flatMap(({ read, write }) => [read, write])).size).toBe(80)
})
