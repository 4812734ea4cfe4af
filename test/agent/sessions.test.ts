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
  const all = await replaySession(at.session.info.logFile)
  expect(all.findLast(({ type }) => type === 'usage')).toMatchObject({ usage: { generatedTokens: 1 } })
  const events = all.filter(({ type }) => type !== 'usage')
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
  expect(tail.map(({ type }) => type)).toEqual(['input', 'text', 'usage', 'result'])
})

it('replays what was said while the model worked, where it was said', async () => {
  const at = await stage([{ text: 'I look.', calls: [edit] }, { text: 'Heard.' }], { files: { 'a.txt': 'one\n' } })
  for await (const { type } of at.session.send('change it')) if (type === 'call') at.session.steer('and be quick')
  const events = await replaySession(at.session.info.logFile)
  const said = events.flatMap((event) => (event.type === 'input' || event.type === 'text' ? [event.text] : []))
  expect(said).toEqual(['change it', 'I look.', 'and be quick', 'Heard.'])
  const [only] = await listSessions(at.state)
  expect(only?.firstInput).toBe('change it')
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
