import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openSandbox, type Sandbox } from '../../sandbox/index.ts'
import { allTools, parseCall, type ToolContext } from '../../tools/index.ts'
import { call, reasonOf, toolContext } from './support/context.ts'
import { type WorkTree, workTree } from './support/workspace.ts'

let tree: WorkTree
let sandbox: Sandbox
let context: ToolContext

const host = (...args: string[]): string => execFileSync('git', args, { cwd: tree.root, encoding: 'utf8' })
const git = (verb: string, args: string[] = [], message?: string) => call(context, 'git', { verb, args, message })
const put = (path: string, text: string): void => writeFileSync(`${tree.root}/${path}`, text)

beforeEach(async () => {
  tree = await workTree({ 'a.txt': 'one\n', 'AGENTS.md': 'be kind\n' })
  host('init', '-q', '-b', 'main')
  host('config', 'user.name', 'Ada')
  host('config', 'user.email', 'ada@example.org')
  host('add', '.')
  host('commit', '-qm', 'first')
  sandbox = await openSandbox({ roots: [tree.root] })
  expect(sandbox.problem).toBeUndefined()
  context = toolContext(tree.workspace, { sandbox })
})
afterEach(() => tree.remove())

describe('reads', () => {
  test('status, diff, log, show and blame', async () => {
    put('a.txt', 'one\ntwo\n')
    expect((await git('status', ['--short'])).content).toBe('exit code 0\n M a.txt')
    expect((await git('diff')).content).toContain('+two')
    expect((await git('log', ['--oneline', '-5'])).content).toMatch(/[0-9a-f]{7} first/)
    expect((await git('show', ['HEAD:a.txt'])).content).toBe('exit code 0\none')
    expect((await git('blame', ['-L1,1', 'a.txt'])).content).toContain('Ada')
  })
  test('are told as reading, others as commands', () => {
    const effects = (args: object) => {
      const parsed = parseCall(allTools, 'git', args)
      return parsed.ok ? parsed.effects : parsed.problem
    }
    expect(effects({ verb: 'status' })).toEqual([{ kind: 'read', path: '.' }])
    expect(effects({ verb: 'commit', message: "it's done", args: ['a b'] })).toEqual([
      { kind: 'run', command: `git commit -m 'it'\\''s done' 'a b'` },
    ])
    expect(effects({ verb: 'push' })).toContain('git: argument verb must be')
  })
  test('run nothing that the repository configures', async () => {
    const script = `${tree.root}/evil.sh`
    put('evil.sh', `#!/bin/sh\ntouch ${tree.root}/ran\n`)
    chmodSync(script, 0o755)
    host('config', 'core.fsmonitor', script)
    host('config', 'diff.external', script)
    host('config', 'core.pager', script)
    put('a.txt', 'two\n')
    for (const verb of ['status', 'diff', 'log']) expect((await git(verb)).ok).toBe(true)
    expect(existsSync(`${tree.root}/ran`)).toBe(false)
  })
})

describe('writes', () => {
  test('a commit has the author that the user is, and says who helped', async () => {
    put('a.txt', 'two\n')
    put('b c.txt', 'new\n')
    expect((await git('add', ['-A'])).ok).toBe(true)
    const result = await git('commit', [], "Say 'two'; $(touch ran)")
    expect(result.ok, result.content).toBe(true)
    expect(host('log', '-1', '--format=%an <%ae>%n%B')).toBe(
      "Ada <ada@example.org>\nSay 'two'; $(touch ran)\n\nAssisted-by: Cachalot\n\n",
    )
    expect(host('status', '--short')).toBe('')
    expect(existsSync(`${tree.root}/ran`)).toBe(false)
  })
  test('without a user, this program is the author', async () => {
    host('config', '--unset', 'user.email')
    host('config', '--unset', 'user.name')
    const bare = await openSandbox({ roots: [tree.root], env: { ...process.env, HOME: '/nonexistent' } })
    context = toolContext(tree.workspace, { sandbox: bare })
    put('a.txt', 'two\n')
    const result = await git('commit', ['-a'], 'x')
    expect(result.ok, result.content).toBe(true)
    expect(host('log', '-1', '--format=%an <%ae>').trim()).toBe('Cachalot <cachalot@localhost>')
  })
  test('switch, merge, stash, restore and tag, also of a file that commands may not touch', async () => {
    for (const [verb, args, message] of [
      ['switch', ['-c', 'topic']],
      ['tag', ['v1'], 'one'],
    ] as const) {
      const result = await git(verb, [...args], message)
      expect(result.ok, result.content).toBe(true)
    }
    put('AGENTS.md', 'be brief\n')
    expect((await git('commit', ['-a'], 'brief')).ok).toBe(true)
    expect((await git('switch', ['main'])).ok).toBe(true)
    expect(readFileSync(`${tree.root}/AGENTS.md`, 'utf8')).toBe('be kind\n')
    expect((await git('merge', ['topic'])).ok).toBe(true)
    expect(readFileSync(`${tree.root}/AGENTS.md`, 'utf8')).toBe('be brief\n')
    put('a.txt', 'stashed\n')
    expect((await git('stash', ['push'], 'wip')).ok).toBe(true)
    expect((await git('stash', ['pop'])).ok).toBe(true)
    expect((await git('restore', ['a.txt'])).ok).toBe(true)
    expect(host('status', '--short')).toBe('')
  })
  test('hooks do not run, and config and hooks cannot be written', async () => {
    const hook = `${tree.root}/.git/hooks/pre-commit`
    mkdirSync(`${tree.root}/.git/hooks`, { recursive: true })
    writeFileSync(hook, `#!/bin/sh\ntouch ${tree.root}/ran\nexit 1\n`, { mode: 0o755 })
    put('a.txt', 'two\n')
    expect((await git('commit', ['-a'], 'x')).ok).toBe(true)
    expect(existsSync(`${tree.root}/ran`)).toBe(false)
    // The same box, asked from inside: what only our own command lines could try anyway.
    const line =
      'for f in config hooks/x info/exclude; do echo x >> .git/$f; done; git config a.b c; touch .git/ok; true'
    const policy = { ...context.policy, git: 'writable' as const }
    await sandbox.run({ line, cwd: tree.root }, { policy, limits: context.limits, signal: context.signal })
    expect(existsSync(`${tree.root}/.git/ok`)).toBe(true)
    expect(host('config', '--list')).not.toContain('a.b')
    expect(existsSync(`${tree.root}/.git/hooks/x`)).toBe(false)
  })
  test('the repository of another root stays closed', async () => {
    const other = await workTree({ 'x.txt': 'x\n' })
    execFileSync('git', ['init', '-q'], { cwd: other.root })
    const policy = { ...context.policy, roots: [tree.root, other.root], git: 'writable' as const }
    const line = `touch .git/mine; touch ${other.root}/.git/theirs; touch ${other.root}/file`
    await sandbox.run({ line, cwd: tree.root }, { policy, limits: context.limits, signal: context.signal })
    expect(existsSync(`${tree.root}/.git/mine`)).toBe(true)
    expect(existsSync(`${other.root}/.git/theirs`)).toBe(false)
    expect(existsSync(`${other.root}/file`)).toBe(true)
    await other.remove()
  })
  test('a command of the model has none of this', async () => {
    const result = await call(context, 'shell', { command: 'git commit --allow-empty -m x' })
    expect(result.ok).toBe(false)
    expect(host('log', '--oneline').trim().split('\n')).toHaveLength(1)
  })
  test('a read-only session refuses', async () => {
    context = { ...context, policy: { ...context.policy, mode: 'read-only' } }
    expect(reasonOf(await git('commit', ['-a'], 'x'))).toBe('denied')
    expect((await git('status')).ok).toBe(true)
  })
})

test.each([
  ['diff', ['--ext-diff'], undefined, 'git diff does not take "--ext-diff" here. Options: --staged'],
  ['diff', ['--output=/tmp/x'], undefined, 'does not take'],
  ['log', ['-n5;id'], undefined, 'does not take'],
  ['rebase', ['--exec', 'id'], undefined, 'does not take'],
  ['rebase', ['-i', 'HEAD'], undefined, 'does not take'],
  ['commit', [], undefined, 'git commit needs message.'],
  ['commit', ['--no-verify'], 'x', 'does not take'],
  ['commit', ['-F', '/etc/passwd'], 'x', 'does not take'],
  ['stash', ['clear'], undefined, 'git stash takes: push, pop'],
  ['status', ['a\0b'], undefined, 'NUL'],
  ['diff', [], 'x', 'takes no message'],
])('git %s %j is refused', async (verb, args, message, told) => {
  const result = await git(verb, args, message)
  expect(reasonOf(result)).toBe('bad-arguments')
  expect(result.content).toContain(told)
})
