/** What fails its checks is tried again: files and context go back, the best attempt stays, and nothing is called done that was not seen. */
import { expect, test, vi } from 'vitest'
import { loadLog } from '../../agent/log/load.ts'
import type { Model, ModelEvent, Sampling, ScriptedReply } from '../../engine/index.ts'
import { scriptedModel } from '../../engine/index.ts'
import { collect, has, type Result, type Stage, stage, text } from './support.ts'

const python = has('python3')
vi.setConfig({ testTimeout: 120_000 })
const small = { finishes: 'edits', prompt: 'small' } as const
const program = (body: string): string => `def double(x):
    """Says it twice.

    >>> double(2)
    4
    >>> double(-1)
    -2
    """
    ${body}
`
const buggy = program('return x + 1')
const files = { 'a.py': buggy }
const task = 'Fix double in a.py'
const writes = (content: string, path = 'a.py') => ({ calls: [{ name: 'write', arguments: { path, content } }] })
const answer = (body: string) => writes(program(body))

async function perform(at: Stage, words = task, signal?: AbortSignal): Promise<Result & { notices: string[] }> {
  const events = await collect(at.session.send(words, { signal }))
  const last = events.at(-1)
  if (last?.type !== 'result') throw new Error(`the last event is ${last?.type}`)
  return { ...last, notices: events.flatMap((event) => (event.type === 'notice' ? [event.text] : [])) }
}

test.runIf(python)('a wrong answer leaves the context, and the next request shows the failing example', async () => {
  const at = await stage([answer('return x * x'), answer('return x * 2')], { files, info: small })
  const result = await perform(at)
  expect(result).toMatchObject({ exit: 'done', exitCode: 0, steps: 2 })
  expect(result.checks).toEqual([
    { name: 'syntax', passed: true, detail: '1 file' },
    { name: 'examples', passed: true, detail: '2 of 2' },
  ])
  expect(result.notices.join()).toContain('Attempt 1 of at most 4: examples: double(-1) should give -2, but gives 1')
  expect(text(at.root, 'a.py')).toBe(program('return x * 2'))
  const [first = [], second = []] = at.model.requests.map(({ messages }) => messages)
  expect(second.slice(0, first.length - 1)).toEqual(first.slice(0, -1))
  expect(second).toHaveLength(first.length + 1)
  expect(second.at(-1)).toMatchObject({
    role: 'user',
    text: expect.stringContaining('double(-1) should give -2, but gives 1'),
  })
  expect(JSON.stringify(second)).not.toContain('x * x')
  expect(result.changes).toMatchObject([{ path: 'a.py', diff: expect.stringContaining('+    return x * 2') }])
})

test.runIf(python)('no attempt passes: the one that came farthest stays, and it is not done', async () => {
  const at = await stage([answer('return 0'), answer('return x * x'), answer('return 7')], {
    files,
    info: small,
    tries: 3,
  })
  const result = await perform(at)
  expect(result).toMatchObject({ exit: 'not-done', exitCode: 1, steps: 3 })
  expect(text(at.root, 'a.py')).toBe(program('return x * x'))
  expect(result.text).toContain('No attempt of 3 passed')
  expect(result.checks.at(-1)).toMatchObject({ name: 'examples', passed: false })
})

test.runIf(python)('attempts that are worse than the file as it was leave it as it was, byte for byte', async () => {
  const at = await stage([answer('return ('), answer('return )')], { files, info: small, tries: 2 })
  const result = await perform(at)
  expect(result).toMatchObject({ exit: 'not-done', changes: [] })
  expect(text(at.root, 'a.py')).toBe(buggy)
})

test.runIf(python)('an answer that changes nothing is tried again, with what fails in the file as it is', async () => {
  const same = writes(buggy)
  const at = await stage([same, same, answer('return 2 * x')], { files, info: small, tries: 4 })
  expect(await perform(at)).toMatchObject({ exit: 'done', steps: 3 })
  expect(JSON.stringify(at.model.requests[2]?.messages.at(-1))).toContain('double(2) should give 4, but gives 3')
})

test('after an answer that changes nothing the next request says so, also where no check has anything to say', async () => {
  const at = await stage([writes('one\n', 'a.txt'), writes('two\n', 'a.txt')], {
    files: { 'a.txt': 'one\n' },
    info: small,
  })
  expect(await perform(at, 'Fix a.txt')).toMatchObject({ exit: 'done', steps: 2 })
  const [first, second] = at.model.requests.map(({ messages }) => JSON.stringify(messages))
  expect(first).not.toContain('the code as it stands')
  expect(second).toContain('An earlier answer to this was the code as it stands.')
})

test.runIf(python)(
  'a model that gives the file back is asked to write it without seeing what its functions do',
  async () => {
    const replies = [
      answer('return x + 1'),
      answer('return x * x'),
      answer('return x * 2'),
      { text: 'It says it twice.' },
    ]
    const at = await stage(replies, { files: { ...files, 'b.py': 'y = 1\n' }, info: small })
    const result = await perform(at, 'Fix double in a.py, which b.py needs')
    expect(result).toMatchObject({ exit: 'done', steps: 3 })
    expect(text(at.root, 'a.py')).toBe(program('return x * 2'))
    const [first, second, third] = at.model.requests.map(({ messages }) => JSON.stringify(messages))
    expect(first).toContain('return x + 1')
    for (const request of [second, third]) {
      expect(request).not.toContain('return x + 1')
      expect(request).toContain('def double(x):')
      expect(request).toContain('>>> double(-1)')
      expect(request).toContain('y = 1')
      expect(request).toContain('The code that stood here was wrong: examples: double(2) should give 4, but gives 3')
    }
    expect(third).toContain('double(-1) should give -2, but gives 1')
    // What is in the log is what the model sees, and the next task shows the file as it is now.
    await perform(at, 'What does a.py do?')
    expect(JSON.stringify(at.model.requests.at(-1)?.messages.at(-1))).toContain('return x * 2')
  },
)

test.runIf(python)('nor does it see what the wrong code has put out: what should come of it is told', async () => {
  const output = '=========== FAILURES ===========\n    def double(x):\n>       return x + 1\nE       assert 3 == 4'
  const at = await stage([answer('return x + 1'), answer('return x * 2')], { files, info: small })
  await perform(at, `Its test fails:\n\n${output}\n\nThe test is right. Correct a.py.`)
  const [first, second] = at.model.requests.map(({ messages }) => JSON.stringify(messages))
  expect(first).toContain('FAILURES')
  expect(second).toContain('The test is right. Correct a.py.')
  expect(second).toContain('double(2) should give 4, but gives 3')
  expect(second).not.toMatch(/FAILURES|return x/)
})

test.runIf(python)('files that an attempt made or removed go back before the next', async () => {
  const first = {
    calls: [
      { name: 'write', arguments: { path: 'new.py', content: 'x = 1\n' } },
      { name: 'edit', arguments: { path: 'b.txt', old: 'b', new: 'c' } },
      ...answer('return 1').calls,
    ],
  }
  const at = await stage([first, answer('return x * 2')], { files: { ...files, 'b.txt': 'b\n' }, info: small })
  const result = await perform(at)
  expect(result.exit).toBe('done')
  expect(result.changes.map(({ path }) => path)).toEqual(['a.py'])
  expect(text(at.root, 'b.txt')).toBe('b\n')
  expect(() => text(at.root, 'new.py')).toThrow()
})

test('the user’s check decides, and a model that cannot go back is told what it said', async () => {
  const edit = (from: string, to: string) => ({ name: 'edit', arguments: { path: 'a.txt', old: from, new: to } })
  const words = { text: 'Done.' }
  const replies = [{ calls: [edit('one', 'two')] }, words, { calls: [edit('two', 'three')] }, words]
  const options = {
    files: { 'a.txt': 'one\n' },
    info: { rewind: 'none' } as const,
    checks: { check: 'grep three a.txt || echo not three' },
  }
  const at = await stage(replies, { ...options, checks: { check: 'grep three a.txt || { echo not there; false; }' } })
  const result = await perform(at, 'Count on in a.txt')
  expect(result).toMatchObject({ exit: 'done', steps: 4, checks: [{ name: 'check', passed: true }] })
  expect(JSON.stringify(at.model.requests[2]?.messages.at(-1))).toContain('not there')
  expect(JSON.stringify(at.model.requests[3]?.messages)).toContain('"new":"two"')

  const red = await stage([...replies.slice(0, 2), words, words], { ...options, checks: { check: 'false' } })
  const failed = await perform(red, 'Count on in a.txt')
  expect(failed).toMatchObject({ exit: 'not-done', exitCode: 1, checks: [{ name: 'check', passed: false }] })
  expect(text(red.root, 'a.txt')).toBe('two\n')
})

test('a failed check is still told when the attempt at mending it does not come to its own', async () => {
  const replies: ScriptedReply[] = [
    { calls: [{ name: 'edit', arguments: { path: 'a.txt', old: 'one', new: 'two' } }] },
    { text: 'Done.' },
    { failure: { kind: 'internal', message: 'It is gone.' } },
  ]
  const options = { files: { 'a.txt': 'one\n' }, info: { rewind: 'none' } as const }
  const at = await stage(replies, { ...options, checks: { check: 'grep three a.txt' } })
  expect(await perform(at, 'Count on in a.txt')).toMatchObject({
    exit: 'model',
    checks: [{ name: 'check', passed: false }],
  })
})

test('the check is made also where the model changed nothing: its words are not believed', async () => {
  const at = await stage([{ text: 'All is well.' }], {
    files: { 'a.txt': 'one\n' },
    checks: { check: 'false' },
    tries: 1,
  })
  expect(await perform(at, 'See that all is well')).toMatchObject({ exit: 'not-done', checks: [{ passed: false }] })
})

test('several attempts that no check can tell apart: the most frequent stays', async () => {
  const replies = ['two\n', 'three\n', 'three\n\n', 'four\n'].map((content) => writes(content, 'a.txt'))
  const at = await stage(replies, { files: { 'a.txt': 'one\n' }, info: small, tries: 4 })
  const result = await perform(at, 'Count on in a.txt')
  expect(result).toMatchObject({ exit: 'done', steps: 4 })
  expect(result.checks).toEqual([{ name: 'agreement', passed: true, detail: '2 of 4 attempts came to this text' }])
  expect(text(at.root, 'a.txt')).toBe('three\n')
  const clear = await stage([replies[1]!, replies[1]!], { files: { 'a.txt': 'one\n' }, info: small, tries: 3 })
  expect(await perform(clear, 'Count on in a.txt')).toMatchObject({ exit: 'done', steps: 2 })
  const usual = await stage([replies[0]!], { files: { 'a.txt': 'one\n' }, info: small })
  expect(await perform(usual, 'Count on in a.txt')).toMatchObject({ exit: 'done', steps: 1, checks: [] })
})

test('of attempts that nothing else tells apart the one stays that the model was surest of', async () => {
  const inner = scriptedModel(
    ['two\n', 'three\n', 'four\n'].map((content) => writes(content, 'a.txt')),
    small,
  )
  const sure = [-0.5, -0.1, -0.9]
  const model: Model = {
    ...inner,
    async start(prefix) {
      const session = await inner.start(prefix)
      async function* respond(options: Parameters<typeof session.respond>[0]): AsyncGenerator<ModelEvent> {
        const logprob = sure.shift()
        if (options.logprobs && logprob !== undefined) {
          yield { type: 'logprobs', tokens: [{ token: 1, logprob, text: '' }] }
        }
        yield* session.respond(options)
      }
      return { ...session, respond }
    },
  }
  const at = await stage([], { files: { 'a.txt': 'one\n' }, model, info: small, tries: 3 })
  expect(await perform(at, 'Count on in a.txt')).toMatchObject({
    exit: 'done',
    checks: [{ name: 'agreement', passed: null }],
  })
  expect(text(at.root, 'a.txt')).toBe('three\n')
})

/** A model that plays replies, and how each of them was asked to be sampled. */
function listening(replies: readonly ScriptedReply[]): { asked: (Partial<Sampling> | undefined)[]; model: Model } {
  const asked: (Partial<Sampling> | undefined)[] = []
  const inner = scriptedModel(replies, small)
  const model: Model = {
    ...inner,
    async start(prefix) {
      const session = await inner.start(prefix)
      const respond: typeof session.respond = (options) => {
        asked.push(options.sampling)
        return session.respond(options)
      }
      return { ...session, respond }
    },
  }
  return { asked, model }
}

test.runIf(python)('the first two attempts are greedy, later ones are not, each with its own seed', async () => {
  const { asked, model } = listening(['1', '2', '3', '4', '5', '6', '7'].map((body) => answer(`return ${body}`)))
  const at = await stage([], { files, model, info: small, tries: 4 })
  await perform(at, 'Write double in a.py')
  expect(asked.map((sampling) => sampling?.temperature)).toEqual([undefined, undefined, 0.7, 0.7])
  expect(new Set(asked.slice(1).map((sampling) => sampling?.seed)).size).toBe(3)
  // Where it does not see what it writes, it would write the same from the same words.
  asked.length = 0
  await perform(await stage([], { files, model, info: small, tries: 3 }))
  expect(asked.map((sampling) => sampling?.temperature)).toEqual([undefined, 0.7, 0.7])
})

test.runIf(python)(
  'after a reply that did not come to its end the next is sampled: greed leads there again',
  async () => {
    const { asked, model } = listening([{ text: 'Well, ', stop: 'length' }, answer('return x * 2')])
    expect(await perform(await stage([], { files, model, info: small }), 'Write double in a.py')).toMatchObject({
      exit: 'done',
    })
    expect(asked.map((sampling) => sampling?.temperature)).toEqual([undefined, 0.7])
  },
)

test.runIf(python)('words of the user that came in a dropped attempt are said again', async () => {
  const at = await stage(
    (_, index) => {
      if (index === 0) at.session.steer('And be quick.')
      return answer(index < 2 ? 'return x * x' : 'return x * 2')
    },
    { files, info: small },
  )
  expect((await perform(at)).exit).toBe('done')
  expect(JSON.stringify(at.model.requests.at(-1)?.messages)).toContain('And be quick.')
})

test.runIf(python)(
  'the log of a run with dropped attempts loads to what the model sees, and can be gone on with',
  async () => {
    const at = await stage([answer('return 1'), answer('return x * 2'), { text: 'Fine.' }], { files, info: small })
    await perform(at)
    expect(await perform(at, 'Thanks')).toMatchObject({ exit: 'done' })
    await at.session.close()
    const seen = at.model.requests.at(-1)?.messages ?? []
    const loaded = await loadLog(at.session.info.logFile)
    const logged = loaded.segments.flatMap(({ messages }) => messages)
    expect(JSON.stringify(logged.slice(0, -1))).toBe(JSON.stringify(seen))
    const again = await stage([{ text: 'Yes.' }], {
      root: at.root,
      stateFolder: at.state,
      resume: at.session.info.logFile,
      info: small,
    })
    expect(await perform(again, 'Still there?')).toMatchObject({ exit: 'done' })
  },
)

test.runIf(python)('an interruption in a later attempt brings the better one back', async () => {
  const stop = new AbortController()
  const at = await stage(
    (_, index) => {
      if (index === 1) setTimeout(() => stop.abort(), 50)
      return index === 0 ? answer('return x * x') : { ...answer('return 0'), delayMs: 2000 }
    },
    { files, info: small },
  )
  expect(await perform(at, task, stop.signal)).toMatchObject({ exit: 'interrupted' })
  expect(text(at.root, 'a.py')).toBe(program('return x * x'))
})

test.runIf(python)('limits hold over all attempts', async () => {
  const at = await stage(() => answer('return 0'), {
    files,
    info: small,
    limits: { steps: 2, tokens: 9999, seconds: 60 },
    tries: 9,
  })
  const result = await perform(at)
  expect(result.steps).toBe(2)
  expect(result.exit).not.toBe('done')
})

const three = { ...small, together: 3 } as const

test.runIf(python)(
  'sampled attempts are written at once on forks, and the first that passes ends the others',
  async () => {
    const replies = [
      answer('return x + 2'),
      answer('return x + 3'),
      answer('return x * x'),
      answer('return x * 2'),
      // Longer than the test may take.
      { ...answer('return 7'), delayMs: 600_000 },
      { text: 'Fine.' },
    ]
    const asked = Promise.withResolvers<void>()
    const script = async (_: unknown, index: number) => {
      if (index === 4) asked.resolve()
      if (index >= 2) await asked.promise
      return replies[index]
    }
    const at = await stage(script, { files, info: three, tries: 5 })
    const result = await perform(at)
    // It may be heard before the one that fails.
    expect(result).toMatchObject({
      exit: 'done',
      exitCode: 0,
      steps: expect.toSatisfy((steps) => [3, 4].includes(steps)),
    })
    expect(text(at.root, 'a.py')).toBe(program('return x * 2'))
    const [, , one, two, last] = at.model.requests
    // One prefix, with what failed in it, on a session each.
    expect(two?.messages).toEqual(one?.messages)
    expect(last?.messages).toEqual(one?.messages)
    expect(new Set(at.model.requests.map(({ session }) => session)).size).toBe(4)
    expect(JSON.stringify(one?.messages.at(-1))).toContain('double(2) should give 4, but gives 5')
    // The session goes on from the one that passed, and its log tells the same.
    await perform(at, 'Thanks')
    const seen = JSON.stringify(at.model.requests.at(-1)?.messages)
    expect(seen).toContain('x * 2')
    expect(seen).not.toContain('x * x')
    await at.session.close()
    const logged = (await loadLog(at.session.info.logFile)).segments.flatMap(({ messages }) => messages)
    expect(JSON.stringify(logged.slice(0, -1))).toBe(seen)
  },
)

test.runIf(python)('none of those written at once passes: the farthest stays, and nothing of the others', async () => {
  const made = { name: 'write', arguments: { path: 'new.py', content: 'x = 1\n' } }
  const replies = [
    answer('return 0'),
    answer('return 3'),
    { calls: [made, ...answer('return 1').calls] },
    answer('return x * x'),
    answer('return ('),
  ]
  const at = await stage(replies, { files, info: three, tries: 5 })
  expect(await perform(at)).toMatchObject({ exit: 'not-done', steps: 5, changes: [{ path: 'a.py' }] })
  expect(text(at.root, 'a.py')).toBe(program('return x * x'))
  expect(() => text(at.root, 'new.py')).toThrow()
})

test.runIf(python)('an interruption ends all that are written at once', async () => {
  const stop = new AbortController()
  const at = await stage(
    (_, index) => {
      if (index === 4) setImmediate(() => stop.abort())
      return { ...answer(`return ${index}`), ...(index > 1 && { delayMs: 600_000 }) }
    },
    { files, info: three, tries: 5 },
  )
  expect(await perform(at, task, stop.signal)).toMatchObject({ exit: 'interrupted', exitCode: 130 })
})

test.runIf(python)('a further attempt begins only where it should end in proportion to the first', async () => {
  const attemptsOf = async (seconds: readonly number[]): Promise<number> => {
    let now = 0
    const clock = { now: () => now, after: () => () => undefined }
    const script = (_: unknown, index: number) => {
      now += (seconds[index] ?? 0) * 1000
      return answer(`return ${index}`)
    }
    return (await perform(await stage(script, { files, info: small, clock }))).steps
  }
  expect(await attemptsOf([200])).toBe(1)
  expect(await attemptsOf([20, 80, 20])).toBe(2)
  expect(await attemptsOf([20, 20, 20, 20, 20, 20])).toBe(3)
  expect(await attemptsOf([20, 10, 10, 10, 10, 10, 10])).toBe(4)
})
