import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Conversation, interruptedText } from '../../agent/conversation.ts'
import { openLog } from '../../agent/log/write.ts'
import { scriptedModel } from '../../engine/index.ts'
import { beginJournal } from '../../tools/edit/journal.ts'
import { perform, scratch, stage, text } from './support.ts'

const append = { calls: [{ name: 'shell', arguments: { command: 'echo once >> side-effect' } }] }

test('wherever a session was cut off, it can be resumed, with one result a call and no command run twice (I1, I11)', async () => {
  const at = await stage([append, { text: 'Done.' }], { files: { a: 'a\n' }, mode: 'full-access' })
  await perform(at, 'Append a line')
  await at.session.close()
  const whole = readFileSync(at.session.info.logFile)
  const resume = join(at.state, 'cut.jsonl')
  const ends = [...whole.toString('latin1').matchAll(/\n/g)].map(({ index }) => index + 1)
  for (const end of ends.slice(1).flatMap((line) => [line, line - 7])) {
    writeFileSync(resume, whole.subarray(0, end))
    const again = await stage([{ text: 'I go on.' }], { root: at.root, resume, mode: 'full-access' })
    expect(await perform(again, 'Go on')).toMatchObject({ exit: 'done' })
    const told = again.model.requests[0]?.messages.filter(({ role }) => role === 'tool') ?? []
    for (const result of told) {
      expect(result.role === 'tool' && (result.text === interruptedText) !== result.ok).toBe(true)
    }
  }
  expect(text(at.root, 'side-effect')).toBe('once\n')
})

test('a state folder that cannot be written is said before anything is asked, with the fix', async () => {
  const root = scratch({ a: 'a\n' })
  await expect(stage([], { root, stateFolder: join(root, 'a') })).rejects.toThrow(/XDG_STATE_HOME/)
})

test('a root that is not there is said at once', async () => {
  await expect(stage([], { root: '/nowhere/at/all', stateFolder: scratch() })).rejects.toThrow(/does not exist/)
})

test('what is not in the log is never asked about', async () => {
  const file = join(scratch(), 'x.jsonl')
  const model = { name: 'm', place: 'scripted', dialect: 'd' }
  const log = await openLog(file, {
    header: { type: 'header', format: 2, id: 'x', cwd: '/', time: '', model },
  })
  const forgetful = { ...log, visible: '', messages: async () => undefined }
  const conversation = await Conversation.start(scriptedModel([{ text: 'never' }]), forgetful, [], false)
  await conversation.append([{ role: 'user', text: 'unlogged' }])
  const asked = conversation.respond({ signal: new AbortController().signal, maxTokens: 1 })
  await expect(asked.next()).rejects.toThrow(/not in the session log/)
  await log.close()
})

test('a log that cannot be written any more ends the run as not done, with a result', async () => {
  const at = await stage([{ text: 'never' }], { files: { a: 'a\n' } })
  await at.session.close()
  const result = await perform({ ...at, session: at.session }, 'Go')
  expect(result).toMatchObject({ exit: 'not-done' })
  expect(result.text).toContain('Cannot write the session log')
})

test('an edit that a crash cut short is made whole before the next session reads anything', async () => {
  const root = scratch({ 'a.txt': 'one\n', 'b.txt': 'two\n' })
  const state = scratch()
  // Died after the first of two files: the journal knows both.
  await beginJournal(join(state, 'journal'), root, [
    { path: 'a.txt', before: Buffer.from('zero\n'), after: Buffer.from('one\n') },
    { path: 'b.txt', before: Buffer.from('two\n'), after: Buffer.from('three\n') },
  ])
  const at = await stage([{ text: 'Hello.' }], { root, stateFolder: state })
  const { events } = await perform(at, 'What is in b.txt?')
  expect(events[1]).toMatchObject({ type: 'notice', text: expect.stringContaining('b.txt') })
  expect(text(root, 'b.txt')).toBe('three\n')
  expect(JSON.stringify(at.model.requests[0]?.messages)).toContain('three')
})

test('a broken log is said, gone on with from before the break, and kept whole beside it', async () => {
  const at = await stage([{ text: 'one' }, { text: 'two' }], { files: { a: 'a\n' } })
  await perform(at, 'First')
  const first = readFileSync(at.session.info.logFile, 'utf8')
  await perform(at, 'Second')
  await at.session.close()
  const file = at.session.info.logFile
  const changed = readFileSync(file, 'utf8').replace('"two"', '"a lie"')
  writeFileSync(file, changed)
  const again = await stage([{ text: 'three' }], { root: at.root, stateFolder: at.state, resume: file })
  const { events } = await perform(again, 'Third')
  const told = events.find(({ type }) => type === 'notice')
  expect(told).toMatchObject({ level: 'warning', text: expect.stringContaining('is not as it was written') })
  const kept = /kept as (\S+)\.$/.exec(told?.type === 'notice' ? told.text : '')?.[1] ?? ''
  expect(readFileSync(kept, 'utf8')).toBe(changed)
  const seen = JSON.stringify(again.model.requests[0]?.messages)
  expect(seen).toContain('"one"')
  expect(readFileSync(file, 'utf8').startsWith(first)).toBe(true)
  // The reply that was changed is seen as such by the line after it.
  await again.session.close()
  const third = await stage([{ text: 'four' }], { root: at.root, stateFolder: at.state, resume: file })
  expect((await perform(third, 'Fourth')).events.some(({ type }) => type === 'notice')).toBe(false)
})
