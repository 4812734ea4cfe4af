/** What others change while a run goes on: told once, as a hunk, before the next request; never what the model wrote itself. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { knownFiles } from '../../../agent/context/known.ts'
import { watchFiles } from '../../../agent/context/watch.ts'
import { type Message, type Model, type ScriptedReply, scriptedModel } from '../../../engine/index.ts'
import { openWorkspace } from '../../../sandbox/index.ts'
import { collect, perform, put, scratch, stage } from '../support.ts'

const stay = '// a line that stays\n'.repeat(30)
const files = { 'a.ts': `export const a = 1\n${stay}`, 'lib/b.ts': `export const b = 2\n${stay}` }
const userWords = (messages: readonly Message[]): string[] =>
  messages.flatMap((message) => (message.role === 'user' ? [message.text] : []))

const playing = async (replies: readonly (() => ScriptedReply | Promise<ScriptedReply>)[]) => {
  const root = scratch(files)
  return await stage(async (_, index) => (await replies[index]?.()) ?? { text: 'Done.' }, {
    root,
    mode: 'full-access',
    repository: { when: 'always', startupSeconds: 20, folder: scratch() },
  })
}

test('a command changes a file: the hunk stands before the next request, once', async () => {
  const at = await playing([
    () => ({ calls: [{ name: 'shell', arguments: { command: "sed -i 's/b = 2/b = 3/' lib/b.ts" } }] }),
    () => ({ calls: [{ name: 'list', arguments: {} }] }),
  ])
  await perform(at, 'Look around')
  const second = userWords(at.model.requests[1]!.messages)
  expect(second.at(-1)).toContain('-export const b = 2\n+export const b = 3')
  expect(second.at(-1)).not.toContain(
    'a line that stays\n// a line that stays\n// a line that stays\n// a line that stays',
  )
  expect(userWords(at.model.requests[2]!.messages)).toHaveLength(second.length)
  const events = await perform(at, 'And now?')
  expect(events.exit).toBe('done')
  expect(userWords(at.model.requests.at(-1)!.messages).at(-1)).toBe('And now?')
})

test("the user's editor changes one while the model works: noticed without a command", async () => {
  let root = ''
  const at = await playing([
    async () => {
      // As editors do it: a new file in the place of the old one.
      writeFileSync(join(root, 'lib/.b.ts.swp'), files['lib/b.ts'].replace('b = 2', 'b = 7'))
      renameSync(join(root, 'lib/.b.ts.swp'), join(root, 'lib/b.ts'))
      await sleep(100)
      return { calls: [{ name: 'list', arguments: {} }] }
    },
  ])
  root = at.root
  await perform(at, 'Look around')
  expect(userWords(at.model.requests[1]!.messages).at(-1)).toContain('+export const b = 7')
})

test('what the model writes itself it is not told; what it read and others changed it is to read again', async () => {
  const at = await playing([
    () => ({ calls: [{ name: 'edit', arguments: { path: 'a.ts', old: 'a = 1', new: 'a = 9' } }] }),
    () => ({ calls: [{ name: 'shell', arguments: { command: 'true' } }] }),
  ])
  await perform(at, 'Look around')
  expect(userWords(at.model.requests[2]!.messages)).toHaveLength(userWords(at.model.requests[0]!.messages).length)

  const root = scratch({ 'notes.md': 'one\n' })
  const seen = new Map([['notes.md', 'mark of old']])
  const known = knownFiles(openWorkspace(root), seen)
  onTestFinished(() => known.close())
  const details = { kind: 'read', path: 'notes.md', fromLine: 1, toLine: 1, totalLines: 1 } as const
  known.hear({ type: 'tool-result', callId: '1', name: 'read', result: { ok: true, content: '', details }, seconds: 0 })
  expect((await known.news({})).text).toContain('notes.md has changed since you read it.')
  expect((await known.news({})).text).toBe('')
})

test('a mark brings back what was known', async () => {
  const root = scratch(files)
  const known = knownFiles(openWorkspace(root), new Map())
  onTestFinished(() => known.close())
  known.resident(new Map([['a.ts', { fingerprint: '', text: files['a.ts'] }]]))
  const mark = known.mark()
  put(root, { 'a.ts': files['a.ts'].replace('1', '2') })
  expect((await known.news({})).text).toContain('+export const a = 2')
  expect((await known.news({})).text).toBe('')
  known.restore(mark)
  expect((await known.news({})).text).toContain('+export const a = 2')
})

test('a file that an ignore file names by now is not shown as it is any more; one that somebody named still is', async () => {
  const root = scratch({ ...files, 'keys.txt': 'one\n', '.gitignore': '' })
  const known = knownFiles(openWorkspace(root), new Map())
  onTestFinished(() => known.close())
  known.resident(new Map(['a.ts', 'lib/b.ts'].map((path) => [path, { fingerprint: 'old', text: 'as it was\n' }])))
  known.shown([{ path: 'keys.txt', fingerprint: 'old', text: 'as it was\n' }])
  put(root, { '.gitignore': 'lib/\n', '.cachalotignore': 'keys.txt\n' })
  const { text } = await known.news({})
  expect(text).toContain('lib/b.ts is another now, and an ignore file names it: it is not shown any more.')
  expect(text).not.toContain('const b')
  expect(text).toContain('export const a = 1')
  expect(text).toContain('```txt\none\n')
  put(root, { 'lib/b.ts': 'export const b = 3\n' })
  expect((await known.news({})).text).toBe('')
})

test('the watch: files that change, folders that are replaced, folders that never were', async () => {
  const root = scratch(files)
  const watched = watchFiles(root)
  onTestFinished(() => watched.close())
  watched.follow(['a.ts', 'lib/b.ts'])
  expect(watched.take()).toEqual(new Set())
  put(root, { 'lib/b.ts': 'x\n', 'other.ts': 'y\n' })
  await sleep(100)
  expect(watched.take()).toEqual(new Set(['lib/b.ts']))
  rmSync(join(root, 'lib'), { recursive: true })
  mkdirSync(join(root, 'lib'))
  put(root, { 'lib/b.ts': 'new\n' })
  await sleep(100)
  expect(watched.take()).toBe('all')
  put(root, { 'lib/b.ts': 'newer\n' })
  await sleep(100)
  expect(watched.take()).not.toEqual(new Set())
  watched.follow(['gone/c.ts'])
  expect(watched.take()).toBe('all')
})

test('what is read ahead of a draft is what is sent then, with what has changed before it', async () => {
  const root = scratch(files)
  const scripted = scriptedModel([{ text: 'Yes.' }, { text: 'Yes.' }])
  let told: (messages: readonly Message[]) => void = () => undefined
  const prefetch = async (messages: readonly Message[]): Promise<number> => {
    told(messages)
    return 0
  }
  const start: Model['start'] = async (prefix) =>
    Object.assign(Object.create(await scripted.start(prefix)), { prefetch })
  const repository = { when: 'always', startupSeconds: 20, folder: scratch() } as const
  const at = await stage([], { root, mode: 'full-access', repository, model: { ...scripted, start } })
  await collect(at.session.send('Hello'))
  put(root, { 'lib/b.ts': `export const b = 4\n${stay}` })
  const ahead = new Promise<readonly Message[]>((resolve) => {
    told = resolve
  })
  at.session.ahead('What is b?')
  const read = await ahead
  expect(userWords(read)).toEqual([expect.stringContaining('+export const b = 4'), 'What is b?'])
  await collect(at.session.send('What is b?'))
  expect(scripted.requests.at(-1)!.messages.slice(-2)).toEqual(read)
})
