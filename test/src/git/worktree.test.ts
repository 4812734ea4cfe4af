import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openWorktree } from '../../../src/git/worktree.ts'

let home: string
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'cachalot-worktree-')))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const git = (...words: string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...words], {
    cwd: join(home, 'repo'),
    encoding: 'utf8',
  })

test('what a killed process left of its attempts goes with the next one, what a living one has stays', async () => {
  const cwd = join(home, 'repo')
  mkdirSync(cwd)
  git('init', '-q')
  writeFileSync(join(cwd, 'a.txt'), 'a\n')
  git('add', '-A')
  git('commit', '-qm', 'start')
  const ended = Number(execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }))
  const stateFolder = join(home, 'state')
  const left = join(stateFolder, 'worktrees', `attempt-${ended}-abc123`)
  git('worktree', 'add', '-q', '--detach', left, 'HEAD')

  const living = await openWorktree({ cwd, stateFolder })
  expect(existsSync(left)).toBe(false)
  const other = await openWorktree({ cwd, stateFolder })
  expect(existsSync(join(living.top, 'a.txt'))).toBe(true)
  expect(git('worktree', 'list').trim().split('\n')).toHaveLength(3)
  await living.remove()
  await other.remove()
  expect(git('worktree', 'list').trim().split('\n')).toHaveLength(1)
})
