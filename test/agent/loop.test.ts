import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadLog } from '../../agent/log/load.ts'
import type { ScriptedReply } from '../../engine/index.ts'
import { collect, lastWords, missingSandbox, perform, put, stage, text } from './support.ts'

const files = { 'a.py': 'def f():\n    return 1\n', 'b.py': 'x = 1\n' }
const edit = (path: string, from: string, to: string) => ({ name: 'edit', arguments: { path, old: from, new: to } })
const fix = edit('a.py', 'return 1', 'return 2')
const words: ScriptedReply = { text: 'Done: it returns 2.' }

test('an edit, then words: done, with the diff, one result a call, requests that continue each other', async () => {
  const at = await stage(
    [{ text: 'I look.', calls: [{ name: 'read', arguments: { path: 'b.py' } }] }, { calls: [fix] }, words],
    { files },
  )
  const result = await perform(at, 'Fix a.py')
  expect(result).toMatchObject({ exit: 'done', exitCode: 0, steps: 3, text: 'Done: it returns 2.' })
  expect(text(at.root, 'a.py')).toContain('return 2')
  expect(text(at.root, 'b.py')).toBe(files['b.py'])
  expect(result.changes).toMatchObject([{ path: 'a.py', kind: 'changed' }])
  expect(result.changes[0]?.diff).toContain('-    return 1\n+    return 2')
  expect(result.events[0]).toMatchObject({ type: 'session', id: at.session.id, cwd: at.root })
  const calls = result.events.filter(({ type }) => type === 'call' || type === 'tool-result').map(({ type }) => type)
  expect(calls).toEqual(['call', 'tool-result', 'call', 'tool-result'])
  expect(at.model.requests).toHaveLength(3)
})

test('the log holds exactly what the model saw, and a resumed session goes on from it', async () => {
  const at = await stage([{ calls: [fix] }, words], { files })
  await perform(at, 'Fix a.py')
  await at.session.close()
  const seen = at.model.requests.at(-1)?.messages ?? []
  const loaded = await loadLog(at.session.info.logFile)
  const logged = loaded.segments.flatMap(({ messages }) => messages)
  expect(JSON.stringify(logged.slice(0, -1))).toBe(JSON.stringify(seen))
  expect(loaded.header).toMatchObject({ id: at.session.id, cwd: at.root, model: { place: 'scripted' } })
  expect(loaded.records.at(-1)).toMatchObject({ type: 'result', exit: 'done' })

  const again = await stage([{ text: 'I remember.' }], {
    root: at.root,
    stateFolder: at.state,
    resume: at.session.info.logFile,
  })
  expect(again.session.id).toBe(at.session.id)
  expect(await perform(again, 'What did you do?')).toMatchObject({ exit: 'done' })
  expect(JSON.stringify(again.model.requests[0]?.messages.slice(0, -1))).toBe(JSON.stringify(logged))
})

test('a log of another model is not resumed', async () => {
  const at = await stage([words], { files })
  await perform(at, 'Say something')
  await at.session.close()
  const resume = at.session.info.logFile
  await expect(stage([], { root: at.root, resume, info: { name: 'other' } })).rejects.toThrow(/--model scripted/)
})

test('several calls in one reply run in order; a failed one does not stop the others', async () => {
  const miss = edit('a.py', 'nowhere', 'x')
  const at = await stage([{ calls: [miss, edit('b.py', 'x = 1', 'x = 2'), fix] }, words], { files })
  const result = await perform(at, 'Fix a.py')
  expect(result.exit).toBe('done')
  expect(text(at.root, 'b.py')).toBe('x = 2\n')
  expect(text(at.root, 'a.py')).toContain('return 2')
})

test('a failed edit, then words: told once, then not done (and the file is as it was)', async () => {
  const miss = edit('a.py', 'return 7', 'return 2')
  const at = await stage([{ calls: [miss] }, words, words], { files })
  const before = statSync(join(at.root, 'a.py')).mtimeMs
  const result = await perform(at, 'Fix a.py')
  expect(result).toMatchObject({ exit: 'not-done', exitCode: 1, steps: 3, changes: [] })
  expect(result.text).toContain('a.py')
  expect(lastWords(at)).toContain('The task is not done')
  expect(text(at.root, 'a.py')).toBe(files['a.py'])
  expect(statSync(join(at.root, 'a.py')).mtimeMs).toBe(before)
})

test('a failed edit that is repaired after the nudge: done', async () => {
  const at = await stage([{ calls: [edit('a.py', 'return 7', 'return 2')] }, words, { calls: [fix] }, words], { files })
  expect(await perform(at, 'Fix a.py')).toMatchObject({ exit: 'done', steps: 4 })
})

test('words alone where a change of a named file was asked for: told once, then not done', async () => {
  const at = await stage([words, words], { files })
  expect(await perform(at, 'Fix the function in a.py.')).toMatchObject({ exit: 'not-done', steps: 2 })
  expect(lastWords(at)).toContain('No file has changed yet')
})

test('words alone are done for a question', async () => {
  const at = await stage([words], { files })
  expect(await perform(at, 'What does a.py do?')).toMatchObject({ exit: 'done', steps: 1 })
})

test('an edit that changes nothing is not a change', async () => {
  const same = { name: 'write', arguments: { path: 'a.py', content: files['a.py'] } }
  const at = await stage([{ calls: [same] }, words, words], { files })
  expect(await perform(at, 'Have a look at a.py')).toMatchObject({ exit: 'not-done', changes: [] })
})

test('writing what is there already ends the attempt of a model that finishes by edits: it is not asked for more of it', async () => {
  const same = { calls: [{ name: 'write', arguments: { path: 'a.py', content: files['a.py'] } }] }
  const info = { finishes: 'edits', prompt: 'small' } as const
  const at = await stage([same], { files, info, tries: 1 })
  expect(await perform(at, 'Fix a.py')).toMatchObject({ exit: 'not-done', steps: 1 })
  const repaired = await stage([same, { calls: [fix] }], { files, info })
  expect(await perform(repaired, 'Fix a.py')).toMatchObject({ exit: 'done', steps: 2 })
})

test('a file that was removed and written anew as it was is no change that was asked for: not done', async () => {
  const remove = { calls: [{ name: 'shell', arguments: { command: 'rm a.py' } }] }
  const same = { calls: [{ name: 'write', arguments: { path: 'a.py', content: files['a.py'] } }] }
  const info = { finishes: 'edits', prompt: 'small' } as const
  const at = await stage([remove, same], { files, info, mode: 'full-access', tries: 1 })
  expect(await perform(at, 'Fix a.py')).toMatchObject({ exit: 'not-done', exitCode: 1, steps: 2, changes: [] })
})

test('what a model says after the whole file is not waited for; a piece before it is no end', async () => {
  const info = { finishes: 'edits', prompt: 'small', dialect: 'fenced' } as const
  const body = files['a.py'].replace('1', '2')
  const fence = (code: string) => `\`\`\`python\n${code}\`\`\`\n`
  const raw = `This line is wrong:\n${fence('x\n')}Here it is:\n\n${fence(body)}\nThis was ${'a very long story '.repeat(40)}`
  const at = await stage([{ raw }], { files, info })
  const result = await perform(at, 'Fix a.py')
  expect(result).toMatchObject({ exit: 'done', steps: 1 })
  expect(text(at.root, 'a.py')).toBe(body)
  expect(result.text.length).toBeLessThan(150)
})

test('an empty reply is answered once, then not done', async () => {
  const at = await stage([{}, {}], { files })
  expect(await perform(at, 'Go')).toMatchObject({ exit: 'not-done', steps: 2 })
  expect(lastWords(at)).toContain('empty')
})

test('a model that finishes by edits is done without another request', async () => {
  const at = await stage([{ calls: [fix] }], { files, info: { finishes: 'edits', prompt: 'small' } })
  expect(await perform(at, 'Fix a.py')).toMatchObject({ exit: 'done', steps: 1 })
  expect(at.model.requests).toHaveLength(1)
})

test('… but not when one of its edits failed, or it also read', async () => {
  const info = { finishes: 'edits', prompt: 'small' } as const
  const failed = await stage([{ calls: [edit('b.py', 'nope', 'x'), fix] }, words, words], { files, info, tries: 1 })
  expect(await perform(failed, 'Fix a.py')).toMatchObject({ exit: 'not-done', steps: 3 })
  const read = await stage([{ calls: [{ name: 'read', arguments: { path: 'b.py' } }, fix] }, words], { files, info })
  expect(await perform(read, 'Fix a.py')).toMatchObject({ exit: 'done', steps: 2 })
})

test('malformed calls go back with what was wrong; the third in a row ends the run', async () => {
  const bad: ScriptedReply = { malformed: { text: '<tool_call>{', problem: 'the JSON does not end' } }
  const survived = await stage([bad, { calls: [fix] }, words], { files })
  expect(await perform(survived, 'Fix a.py')).toMatchObject({ exit: 'done', steps: 3 })
  expect(JSON.stringify(survived.model.requests[1]?.messages.at(-1))).toContain('the JSON does not end')

  const unknown: ScriptedReply = { calls: [{ name: 'has_close_elements', arguments: {} }] }
  const arguments_: ScriptedReply = { calls: [{ name: 'edit', arguments: { file: 3 } }] }
  const ended = await stage([bad, unknown, arguments_], { files })
  expect(await perform(ended, 'Fix a.py')).toMatchObject({ exit: 'not-done', steps: 3 })
})

test('an unreadable call, then words: not done', async () => {
  const at = await stage([{ malformed: 'json?' }, words, words], { files })
  expect(await perform(at, 'What is a.py?')).toMatchObject({ exit: 'not-done' })
})

test('identical calls are told once, then end the run (I6)', async () => {
  const at = await stage(() => ({ calls: [{ name: 'read', arguments: { path: 'b.py' } }] }), { files })
  const result = await perform(at, 'Look')
  expect(result).toMatchObject({ exit: 'not-done', steps: 4 })
  const told = result.events.flatMap((event) => (event.type === 'tool-result' ? [event.result.ok] : []))
  expect(told).toEqual([true, true, false, false])
})

test('two calls taking turns are a circle too, also with the keys in another order', async () => {
  const at = await stage(
    (_messages, index) => ({
      calls: [
        index % 2 === 0
          ? { name: 'read', arguments: index % 4 === 0 ? { path: 'b.py', from: 1 } : { from: 1, path: 'b.py' } }
          : { name: 'list', arguments: { path: '.' } },
      ],
    }),
    { files },
  )
  expect((await perform(at, 'Look')).exit).toBe('not-done')
  expect(at.model.requests.length).toBeLessThanOrEqual(5)
})

test('limits on steps, tokens and seconds', async () => {
  const looking = (_: unknown, index: number): ScriptedReply => ({
    calls: [{ name: 'read', arguments: { path: index % 3 ? 'a.py' : 'b.py', from: index + 1 } }],
  })
  const steps = await stage(looking, { files, limits: { steps: 3, tokens: 1e6, seconds: 60 } })
  expect(await perform(steps, 'Look')).toMatchObject({ exit: 'limit', exitCode: 5, steps: 3 })
  const tokens = await stage(looking, { files, limits: { steps: 50, tokens: 10, seconds: 60 } })
  expect(await perform(tokens, 'Look')).toMatchObject({ exit: 'limit' })
  const seconds = await stage([{ text: 'x', delayMs: 20_000 }], {
    files,
    limits: { steps: 50, tokens: 1e6, seconds: 0.2 },
  })
  const slow = await perform(seconds, 'Look')
  expect(slow).toMatchObject({ exit: 'limit' })
  expect(slow.seconds).toBeLessThan(2)
})

test('a reply cut by its length: a call at its end is not run, words are asked to go on', async () => {
  const at = await stage([{ calls: [fix], stop: 'length' }, { calls: [fix] }, words], { files })
  const result = await perform(at, 'Fix a.py')
  expect(result.exit).toBe('done')
  expect(result.events.find(({ type }) => type === 'tool-result')).toMatchObject({ result: { ok: false } })
  const cut = await stage(
    [
      { text: 'so', stop: 'length' },
      { text: 'on', stop: 'length' },
    ],
    { files },
  )
  expect(await perform(cut, 'Tell')).toMatchObject({ exit: 'limit', steps: 2 })
})

test('a dead engine is asked once more; any other failure ends the run', async () => {
  const died: ScriptedReply = {
    text: 'half',
    failure: { kind: 'engine-died', message: 'The host died.', retryable: true },
  }
  const survived = await stage([died, { calls: [fix] }, words], { files })
  expect(await perform(survived, 'Fix a.py')).toMatchObject({ exit: 'done' })
  const twice = await stage([died, died], { files })
  expect(await perform(twice, 'Fix a.py')).toMatchObject({ exit: 'model', exitCode: 3, text: 'The host died.' })
  const full = await stage([{ failure: { kind: 'context-full', message: 'Full.' } }, words], { files })
  expect(await perform(full, 'Fix a.py')).toMatchObject({ exit: 'model', steps: 1 })
  // The session is still good: the next turn works.
  expect(await perform(full, 'And now?')).toMatchObject({ exit: 'done' })
})

test('a reply that breaks off in the middle is asked for again, twice in a row at most; one that never began is not', async () => {
  const failure = { kind: 'bad-reply', message: 'The answer broke off.', retryable: true } as const
  const half: ScriptedReply = { text: 'half', failure }
  const survived = await stage([half, half, { calls: [fix] }, half, words], { files })
  expect(await perform(survived, 'Fix a.py')).toMatchObject({ exit: 'done' })
  expect(survived.model.requests[2]?.messages).toEqual(survived.model.requests[0]?.messages)
  const dead = await stage([half, half, half, words], { files })
  expect(await perform(dead, 'Fix a.py')).toMatchObject({ exit: 'model', text: 'The answer broke off.', steps: 3 })
  const never = await stage([{ failure }, words], { files })
  expect(await perform(never, 'Fix a.py')).toMatchObject({ exit: 'model', steps: 1 })
})

test('a model that cannot start is a result, not an exception', async () => {
  const at = await stage([words], { files })
  const broken = { ...at.model, start: () => Promise.reject(new Error('The file is truncated. Pull it again.')) }
  const other = await stage([], { root: at.root, model: broken })
  expect(await perform({ ...other, model: at.model }, 'Go')).toMatchObject({
    exit: 'model',
    text: expect.stringContaining('truncated'),
  })
})

test('an engine that cannot take a result is tried again, then ends the run; the next run hands it over', async () => {
  const at = await stage([{ calls: [{ name: 'read', arguments: { path: 'b.py' } }] }, { text: 'Here again.' }], {
    files,
  })
  let refusals = 0
  const model: typeof at.model = {
    ...at.model,
    start: async (prefix) => {
      const session = await at.model.start(prefix)
      const append: typeof session.append = async (messages) => {
        if (messages[0]?.role === 'tool' && refusals < 3) {
          refusals += 1
          throw new Error('The engine is gone.')
        }
        await session.append(messages)
      }
      return Object.assign(Object.create(session), { append, respond: session.respond })
    },
  }
  const other = { ...(await stage([], { root: at.root, model })), model: at.model }
  expect(await perform(other, 'Look')).toMatchObject({ exit: 'model', text: 'The engine is gone.' })
  expect(await perform(other, 'Look again')).toMatchObject({ exit: 'done', text: 'Here again.' })
  expect(refusals).toBe(3)
})

test('no sandbox: told to the model; the run ends with its own exit code unless it finds another way', async () => {
  const run = { calls: [{ name: 'shell', arguments: { command: 'python3 a.py' } }] }
  const at = await stage([run, { text: 'I cannot run it.' }], { files, sandbox: missingSandbox })
  const result = await perform(at, 'Run the tests')
  expect(result).toMatchObject({ exit: 'sandbox', exitCode: 4, steps: 2 })
  expect(result.text).toContain('apt-get install -y bubblewrap')
  expect(JSON.stringify(at.model.requests[1]?.messages.at(-1))).toContain('bubblewrap')
  const other = await stage([run, { calls: [fix] }, words], { files, sandbox: missingSandbox })
  expect(await perform(other, 'Fix a.py')).toMatchObject({ exit: 'done' })
})

test('what a person said no to is not asked of the model again', async () => {
  const no = async () => ({ allow: false, reason: 'not this file' }) as const
  const asks = { files, asksBefore: () => true, approve: no }
  const at = await stage([{ calls: [fix] }, { text: 'Then I leave it.' }], asks)
  const result = await perform(at, 'Fix a.py')
  expect(result).toMatchObject({ exit: 'denied', steps: 2, changes: [] })
  expect(result.text).toMatch(/not this file[\s\S]*Then I leave it\./)
  expect(await perform(await stage([{ calls: [fix] }, { text: 'I see.' }], asks), 'What is in b.py?')).toMatchObject({
    exit: 'done',
    steps: 2,
  })
})

test('read-only and nobody to ask: a write is refused and never waited for (I7)', async () => {
  const at = await stage([{ calls: [fix] }, words, words], { files, mode: 'read-only' })
  expect(await perform(at, 'Fix a.py')).toMatchObject({ exit: 'denied', changes: [] })
  expect(text(at.root, 'a.py')).toBe(files['a.py'])
})

test('read-only and somebody to ask: yes runs it, no is told with its reason', async () => {
  const asked: unknown[] = []
  const approve = async (request: unknown) => {
    asked.push(request)
    return asked.length === 1 ? ({ allow: false, reason: 'not yet' } as const) : ({ allow: true } as const)
  }
  const at = await stage([{ calls: [fix] }, { calls: [fix] }, words], { files, mode: 'read-only', approve })
  expect(await perform(at, 'Fix a.py')).toMatchObject({ exit: 'done' })
  expect(JSON.stringify(at.model.requests[1]?.messages.at(-1))).toContain('not yet')
  const preview = [{ path: 'a.py', after: text(at.root, 'a.py') }]
  expect(asked[0]).toMatchObject({ name: 'edit', effects: [{ kind: 'write', path: 'a.py' }], preview })
  expect(text(at.root, 'a.py')).toContain('return 2')
})

test('asked before what the policy allows anyway, and an answer that never comes does not hold up an interruption', async () => {
  const asksBefore = () => true
  const no = async () => ({ allow: false, reason: 'leave it' }) as const
  const at = await stage([{ calls: [fix] }, words, words], { files, asksBefore, approve: no })
  expect(await perform(at, 'Fix a.py')).toMatchObject({ exit: 'denied', changes: [] })
  const controller = new AbortController()
  const never = () => {
    controller.abort()
    return Promise.withResolvers<never>().promise
  }
  const other = await stage([{ calls: [fix] }], { files, asksBefore, approve: never })
  expect(await perform(other, 'Fix a.py', controller.signal)).toMatchObject({ exit: 'interrupted', changes: [] })
})

test('steering words reach the model at the next tool boundary, and before a run would end', async () => {
  const at = await stage(
    [{ calls: [{ name: 'read', arguments: { path: 'b.py' } }], chunkMs: 20 }, words, { text: 'Right.' }],
    { files },
  )
  const told: string[] = []
  for await (const event of at.session.send('Look')) {
    if (event.type === 'call') at.session.steer('mind the gap')
    if (event.type === 'text' && told.length === 0) {
      told.push(event.text)
      at.session.steer('one more thing')
    }
  }
  const users = at.model.requests.at(-1)?.messages.filter(({ role }) => role === 'user') ?? []
  expect(users.slice(-2).map((message) => message.role === 'user' && message.text)).toEqual([
    'mind the gap',
    'one more thing',
  ])
})

test('a second run while one goes on is refused; leaving the loop early frees the session', async () => {
  const at = await stage([{ text: 'slow', delayMs: 5000 }, words], { files })
  for await (const event of at.session.send('Go')) {
    if (event.type !== 'prefill') continue
    await expect(collect(at.session.send('Too'))).rejects.toThrow(/A run is going on/)
    break
  }
  expect(await perform(at, 'Go on')).toMatchObject({ exit: 'done' })
})

test('the log is written before the model is asked', async () => {
  let logged = ''
  const at = await stage(
    () => {
      logged = readFileSync(at.session.info.logFile, 'utf8')
      return words
    },
    { files },
  )
  await perform(at, 'Say hello to the log')
  expect(logged).toContain('Say hello to the log')
})

test('files the user changes between runs are no changes of the next run', async () => {
  const at = await stage([{ calls: [fix] }, words, { text: 'Nothing to do.' }], { files })
  await perform(at, 'Fix a.py')
  put(at.root, { 'b.py': 'mine\n' })
  expect(await perform(at, 'Anything else?')).toMatchObject({ changes: [] })
})
