import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CommandResult, openSandbox, type Sandbox, SandboxError } from '../../sandbox/index.ts'
import { call, noSandbox, reasonOf, toolContext } from './support/context.ts'
import { type WorkTree, workTree } from './support/workspace.ts'

let tree: WorkTree
let sandbox: Sandbox
beforeAll(async () => {
  tree = await workTree({ 'a.txt': 'hello\n' })
  sandbox = await openSandbox({ backend: 'external' })
})
afterAll(() => tree.remove())

/** The command really runs, unconfined: what is tested here is what becomes of its result. */
async function shell(args: object, changes: Parameters<typeof toolContext>[1] = {}) {
  const context = toolContext(tree.workspace, { sandbox, ...changes })
  return await call({ ...context, policy: { ...context.policy, mode: 'full-access' } }, 'shell', args)
}

test('tells the exit code and what was printed', async () => {
  const result = await shell({ command: 'cat a.txt; echo oops >&2; exit 3' })
  expect(result).toMatchObject({ ok: false, content: 'exit code 3\nhello\noops' })
  expect(result.details).toMatchObject({ kind: 'command', exitCode: 3, outcome: 'exited', output: 'hello\noops\n' })
  expect(await shell({ command: 'true' })).toMatchObject({ ok: true, content: 'exit code 0' })
})

test('long output keeps its beginning and its end within the budget', async () => {
  const { content } = await shell({ command: 'seq 1 100000; echo the end' })
  expect(content).toMatch(/^exit code 0\n1\n2\n/)
  expect(content).toMatch(/\nthe end$/)
  expect(content).toMatch(/… \(output cut: 588903 bytes in all(?:, whole in \S+)?\) …/)
  expect(content.length).toBeLessThan(8100)
})

test('colours and progress lines are read as a terminal shows them', async () => {
  const { content } = await shell({ command: String.raw`printf '\e[31mred\e[0m\n10%%\r50%%\rdone\r\n'` })
  expect(content).toBe('exit code 0\nred\ndone')
})

test('stops in time, and says so', async () => {
  const result = await shell({ command: 'echo begun; sleep 30', timeout: 0.5 })
  expect(result).toMatchObject({ ok: false, content: 'timed out after 0.5 s and was stopped\nbegun' })
  expect(result.details).toMatchObject({ outcome: 'timed-out' })
})

test('stops when the user does', async () => {
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 200)
  expect(reasonOf(await shell({ command: 'sleep 30' }, { signal: controller.signal }))).toBe('aborted')
})

describe('what cannot run is a result', () => {
  test('no sandbox: the message names the fix', async () => {
    const context = toolContext(tree.workspace, { sandbox: noSandbox })
    const result = await call(context, 'shell', { command: 'true' })
    expect(reasonOf(result)).toBe('sandbox')
    expect(result.content).toContain('sandbox')
  })
  test('a command that no shell takes', async () => {
    expect(reasonOf(await shell({ command: 'a\0b' }))).toBe('bad-arguments')
    expect(reasonOf(await shell({ command: '  ' }))).toBe('bad-arguments')
  })
  test('the hint of the sandbox stands last', async () => {
    const hinted: CommandResult = {
      outcome: 'signalled',
      exitCode: 137,
      output: '',
      outputBytes: 0,
      truncated: false,
      seconds: 0,
      hint: '[sandbox: no network]',
    }
    const fake: Sandbox = { ...noSandbox, problem: undefined, run: () => Promise.resolve(hinted) }
    expect((await shell({ command: 'x' }, { sandbox: fake })).content).toBe('killed by signal 9\n[sandbox: no network]')
    const gap: Sandbox = { ...noSandbox, run: () => Promise.reject(new SandboxError('policy-gap', 'needs net-off')) }
    expect(reasonOf(await shell({ command: 'x' }, { sandbox: gap }))).toBe('sandbox')
  })
})
