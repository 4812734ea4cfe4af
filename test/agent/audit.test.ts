import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { auditSession, rerunSession } from '../../agent/index.ts'
import { type ScriptedReply, scriptedModel } from '../../engine/index.ts'
import { perform, stage } from './support.ts'

const shell = (command: string) => ({ name: 'shell', arguments: { command } })
const edit = { name: 'edit', arguments: { path: 'a.txt', old: 'one', new: 'two' } }
const script = [
  { reasoning: 'hm', text: 'I look.', calls: [{ name: 'read', arguments: { path: 'a.txt' } }] },
  { calls: [edit, shell('rm x'), shell('echo hi; exit 3')] },
  { text: 'Done.' },
] as const satisfies readonly ScriptedReply[]
const rules = [{ action: 'deny', command: 'rm', origin: 'config.toml:1' }] as const

async function held() {
  const at = await stage(script, { files: { 'a.txt': 'one\n', x: '' }, rules, mode: 'full-access' })
  await perform(at, 'Change it')
  await at.session.close()
  return at.session.info.logFile
}

test('an audit lists what was asked, read, changed, run and decided, in order, with the chain verified', async () => {
  const file = await held()
  const audit = await auditSession(file)
  expect(audit).toMatchObject({ chain: 'whole', tornBytes: 0, model: 'scripted' })
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT/)
  expect(audit.entries).toEqual([
    { kind: 'input', time, text: 'Change it' },
    { kind: 'read', time, path: 'a.txt' },
    { kind: 'changed', time, paths: ['a.txt'] },
    {
      ...{ kind: 'approval', time, allowed: false, by: 'rule' },
      ...{ reason: expect.stringContaining('config.toml:1'), effects: [{ kind: 'run', command: 'rm x' }] },
    },
    { kind: 'failed', time, tool: 'shell', why: 'denied' },
    {
      ...{ kind: 'command', time, command: 'echo hi; exit 3', outcome: 'exited', exitCode: 3 },
      ...{ seconds: expect.any(Number), findings: [] },
    },
    { kind: 'result', time, exit: 'denied', changed: ['a.txt'] },
  ])
})

test('a log that was changed is told as broken, with what comes before', async () => {
  const file = await held()
  writeFileSync(file, readFileSync(file, 'utf8').replace('echo hi; exit 3', 'echo hi; exit 0'))
  const audit = await auditSession(file)
  expect(audit).toMatchObject({ chain: 'broken', broken: expect.stringContaining('does not follow') })
  expect(audit.entries.some(({ kind }) => kind === 'command')).toBe(false)
})

test('a replay with the same model says the same, runs nothing and leaves the log as it was', async () => {
  const file = await held()
  const before = readFileSync(file, 'utf8')
  const model = scriptedModel(script)
  const signal = new AbortController().signal
  expect(await rerunSession(file, model, { signal })).toMatchObject({ replies: 3, divergence: undefined })
  // It was given the very results that were recorded.
  const results = model.requests.at(-1)?.messages.flatMap((message) => (message.role === 'tool' ? [message.text] : []))
  expect(results).toHaveLength(4)
  expect(results?.[3]).toContain('exit code 3')
  expect(readFileSync(file, 'utf8')).toBe(before)
})

test.each([
  ['reasoning', 1, [{ ...script[0], reasoning: 'ha' }, script[1], script[2]]],
  ['text', 3, [script[0], script[1], { text: 'Not done.' }]],
  ['calls', 2, [script[0], { calls: [edit, shell('rm y')] }, script[2]]],
  ['failure', 2, [script[0]]],
] as const)('the first difference is told: its %s, in reply %i', async (what, reply, other) => {
  const file = await held()
  const signal = new AbortController().signal
  const { divergence } = await rerunSession(file, scriptedModel([...other]), { signal })
  expect(divergence).toMatchObject({ what, reply })
})

test('another model is refused by name', async () => {
  const file = await held()
  const model = scriptedModel({ name: 'other', replies: [] })
  await expect(rerunSession(file, model, { signal: new AbortController().signal })).rejects.toThrow(/with scripted/)
})

test('an attempt that was dropped is held and dropped again', async () => {
  const wrong = { text: '', calls: [{ name: 'edit', arguments: { path: 'a.txt', old: 'one', new: 'wrong' } }] }
  const right = { text: '', calls: [{ name: 'edit', arguments: { path: 'a.txt', old: 'one', new: 'two' } }] }
  const replies = [wrong, right, { text: 'Yes.' }]
  const at = await stage(replies, {
    ...{ files: { 'a.txt': 'one\n' }, mode: 'full-access', tries: 2 },
    ...{ info: { prompt: 'small', finishes: 'edits' }, checks: { check: 'grep -q two a.txt' } },
  })
  await perform(at, 'Change a.txt to two')
  await at.session.close()
  const file = at.session.info.logFile
  expect(readFileSync(file, 'utf8')).toContain('"type":"rewind"')
  const again = scriptedModel(replies, { prompt: 'small', finishes: 'edits' })
  const rerun = await rerunSession(file, again, { signal: new AbortController().signal })
  expect(rerun).toMatchObject({ divergence: undefined })
  expect(rerun.replies).toBeGreaterThan(1)
})
