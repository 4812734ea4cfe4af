import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { forkSession, listSessions, openSession, replaySession } from '../../agent/index.ts'
import { scriptedModel } from '../../engine/index.ts'
import { openSandbox } from '../../sandbox/index.ts'
import { perform, policyFor, stage } from './support.ts'

const edit = { name: 'edit', arguments: { path: 'a.txt', old: 'one', new: 'two' } }

it('lists sessions by what was asked first, last used first, and those of one folder', async () => {
  const at = await stage([{ text: 'hello' }, { text: 'again' }], { files: { 'a.txt': 'one\n' } })
  await perform(at, 'first words\nof it')
  await perform(at, 'second')
  const folder = join(at.state, 'sessions')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'broken.jsonl'), 'no json\n')
  writeFileSync(join(folder, 'empty.jsonl'), '')
  const other = await stage([{ text: 'x' }], { files: {}, stateFolder: at.state })
  await perform(other, 'elsewhere')
  const all = await listSessions(at.state)
  expect(all.map(({ firstInput }) => firstInput)).toEqual(['elsewhere', 'first words\nof it'])
  expect(all[1]).toMatchObject({ id: at.session.id, cwd: at.root, model: 'scripted', file: at.session.info.logFile })
  expect((await listSessions(at.state, { cwd: at.root })).length).toBe(1)
  expect(await listSessions(join(at.state, 'nowhere'))).toEqual([])
})

it('replays what was drawn, from the end, past a torn line', async () => {
  const at = await stage([{ reasoning: 'hm', text: 'I edit.', calls: [edit] }, { text: 'Done.' }, { text: 'Bye.' }], {
    files: { 'a.txt': 'one\n' },
  })
  await perform(at, 'change it')
  await perform(at, 'and?')
  appendFileSync(at.session.info.logFile, '{"type":"mess')
  const events = await replaySession(at.session.info.logFile)
  expect(events.map(({ type }) => type)).toEqual([
    'input',
    'reasoning',
    'text',
    'call',
    'tool-result',
    'text',
    'result',
    'input',
    'text',
    'result',
  ])
  expect(events[4]).toMatchObject({ name: 'edit', result: { ok: true, details: { kind: 'change', path: 'a.txt' } } })
  const tail = await replaySession(at.session.info.logFile, 1000)
  expect(tail.map(({ type }) => type)).toEqual(['input', 'text', 'result'])
})

it('forks: the copy goes its own way, the first stays as it was', async () => {
  const at = await stage([{ text: 'hello' }], { files: { 'a.txt': 'one\n' } })
  await perform(at, 'first')
  const before = readFileSync(at.session.info.logFile, 'utf8')
  const fork = await forkSession(at.session.info.logFile)
  const model = scriptedModel([{ text: 'other' }])
  const session = await openSession({
    model,
    root: at.root,
    sandbox: await openSandbox({ backend: 'none', roots: [at.root] }),
    policy: policyFor(at.root, 'full-access'),
    limits: { steps: 5, tokens: 1000, seconds: 20 },
    stateFolder: at.state,
    resume: fork.file,
  })
  await perform({ ...at, session, model }, 'second')
  await session.close()
  expect(session.id).toBe(fork.id)
  expect(model.requests[0]?.messages.map((message) => ('text' in message ? message.text : ''))).toContain('hello')
  expect(readFileSync(at.session.info.logFile, 'utf8')).toBe(before)
  expect(readFileSync(fork.file, 'utf8')).toContain('second')
})
