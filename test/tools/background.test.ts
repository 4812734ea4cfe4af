/** Commands that go on: really started, read, stopped, and gone with the session. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BackgroundCommands, openSandbox, type Sandbox } from '../../sandbox/index.ts'
import { parseCall } from '../../tools/index.ts'
import { shellTool } from '../../tools/shell.ts'
import { processesWith } from '../sandbox/support/processes.ts'
import { call, reasonOf, toolContext } from './support/context.ts'
import { type WorkTree, workTree } from './support/workspace.ts'

let tree: WorkTree
let sandbox: Sandbox
let background: BackgroundCommands
beforeAll(async () => {
  tree = await workTree({ 'a.txt': 'hello\n' })
  sandbox = await openSandbox({ backend: 'external' })
  background = new BackgroundCommands(sandbox)
})
afterAll(async () => {
  await background.close()
  await tree.remove()
})

async function shell(args: object) {
  const context = toolContext(tree.workspace, { sandbox, background })
  return await call({ ...context, policy: { ...context.policy, mode: 'full-access' } }, 'shell', args)
}

test('a command is started, read later, and stopped with all that it started', async () => {
  const command = 'echo listening; sleep 7771 & while [ ! -e go ]; do sleep 0.05; done; echo asked; sleep 7772'
  const started = await shell({ command, background: true })
  expect(started).toMatchObject({ ok: true, details: { kind: 'command', outcome: 'running' } })
  expect(started.content).toBe('running in the background, id 1\nlistening')
  expect((await shell({ id: 1, timeout: 0.2 })).content).toContain('(no new output)')
  await shell({ command: 'touch go' })
  expect((await shell({ id: 1, command: '', background: false })).content).toContain('\nasked')
  expect(await shell({ id: 1, stop: true })).toMatchObject({ ok: true })
  await sleep(300)
  expect(processesWith('sleep 777')).toEqual([])
})

test('one that fails at once is seen to fail; its end is told as such', async () => {
  const failed = await shell({ command: 'echo no such port >&2; exit 3', background: true })
  expect(failed).toMatchObject({ ok: false, details: { kind: 'command', exitCode: 3, outcome: 'exited' } })
  expect(failed.content).toMatch(/^background command \d: exit code 3\nno such port$/)
})

test('an unknown id is told with those that are there; command and id together are refused', async () => {
  const unknown = await shell({ id: 99 })
  expect(reasonOf(unknown)).toBe('not-found')
  expect(unknown.content).toContain('There are: 1 (')
  expect(parseCall([shellTool], 'shell', { command: 'true', id: 3 })).toMatchObject({ ok: false })
  expect(reasonOf(await shell({}))).toBe('bad-arguments')
})

test('closing ends them all', async () => {
  const own = new BackgroundCommands(sandbox)
  const context = toolContext(tree.workspace, { sandbox, background: own })
  const full = { ...context, policy: { ...context.policy, mode: 'full-access' as const } }
  await call(full, 'shell', { command: 'touch up; sleep 7773', background: true })
  expect(existsSync(join(tree.root, 'up'))).toBe(true)
  await own.close()
  await sleep(300)
  expect(processesWith('sleep 7773')).toEqual([])
})
