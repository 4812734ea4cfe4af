/** A fault that stands is looked for where the model would have written otherwise; only a check that fails now and passes then decides. */
import { expect, test, vi } from 'vitest'
import { openSession, type SessionOptions } from '../../agent/index.ts'
import { asksToMend } from '../../agent/turn/wishes.ts'
import { type DoubtOptions, noUsage, type ScriptedReply, scriptedModel } from '../../engine/index.ts'
import { openSandbox, type SandboxMode } from '../../sandbox/index.ts'
import { openCode } from '../../tools/index.ts'
import { collect, has, policyFor, scratch, text } from './support.ts'

const python = has('python3')
vi.setConfig({ testTimeout: 60_000 })

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
const right = program('return x + x')
const task = 'There is a bug in a.py. Fix it.'
const answer = (content: string): ScriptedReply => ({
  calls: [{ name: 'write', arguments: { path: 'a.py', content } }],
})
const usage = { ...noUsage, promptTokens: 30, evaluatedTokens: 20, generatedTokens: 5 }

/** A session with a small model that has these doubts of a.py; `asked` notes what it was asked about, `seen` what stood there when it was asked for the next. */
async function stage(
  replies: readonly ScriptedReply[],
  doubts: readonly string[],
  options: Partial<SessionOptions> & {
    readonly content?: string
    readonly onDoubt?: () => void
    readonly logprobs?: readonly number[]
    readonly mode?: SandboxMode
  } = {},
) {
  const { content = buggy, onDoubt, logprobs = [], mode = 'workspace-write', ...rest } = options
  const root = scratch({ 'a.py': content, 'b.py': 'b = 1\n' })
  const scripted = scriptedModel(replies, { finishes: 'edits', prompt: 'small' })
  const asked: DoubtOptions[] = []
  const seen: string[] = []
  const model = {
    ...scripted,
    async start(...prefix: Parameters<typeof scripted.start>) {
      const session = await scripted.start(...prefix)
      return Object.assign(Object.create(session), {
        async *doubts({ spent, ...about }: DoubtOptions & { readonly spent: (more: typeof usage) => void }) {
          asked.push(about)
          try {
            for (const [index, doubt] of doubts.entries()) {
              seen.push(text(root, 'a.py'))
              onDoubt?.()
              yield { content: doubt, line: 9, logprob: logprobs[index] ?? -index }
            }
          } finally {
            spent(usage)
          }
        },
      })
    },
  }
  const session = await openSession({
    ...{
      model,
      root,
      sandbox: await openSandbox({ backend: 'auto', roots: [root] }),
      policy: { ...policyFor(root), mode },
    },
    ...{ limits: { steps: 20, tokens: 100_000, seconds: 60 }, stateFolder: scratch() },
    ...rest,
  })
  const perform = async (words = task, signal?: AbortSignal) => {
    const events = await collect(session.send(words, { signal }))
    const last = events.at(-1)
    if (last?.type !== 'result') throw new Error(`the last event is ${last?.type}`)
    return { ...last, events }
  }
  return { root, session, asked, seen, perform, requests: scripted.requests }
}

test.runIf(python)(
  'the first text with which the failing example passes is written, as a call of the model',
  async () => {
    const at = await stage([], [program('return x'), program('return ('), right, program('return 2 * x')])
    const result = await at.perform()
    expect(result).toMatchObject({
      exit: 'done',
      exitCode: 0,
      steps: 1,
      usage: { generatedTokens: 5, promptTokens: 30 },
    })
    expect(result.checks).toContainEqual({ name: 'examples', passed: true, detail: '2 of 2' })
    expect(text(at.root, 'a.py')).toBe(right)
    expect(text(at.root, 'b.py')).toBe('b = 1\n')
    expect(at.requests).toEqual([])
    expect(new Set(at.seen)).toEqual(new Set([buggy]))
    const call = result.events.find((event) => event.type === 'call')
    expect(call).toMatchObject({ call: { name: 'write', arguments: { path: 'a.py', content: right } } })
    expect(result.changes).toMatchObject([{ path: 'a.py', kind: 'changed' }])
    // The docstring with its examples is not asked about.
    expect([...at.asked[0]!.lines]).toEqual([1, 9])
    await at.session.close()
  },
)

test.runIf(python)('none passes: the file is as it was, and the model is asked', async () => {
  const at = await stage([answer(right)], [program('return x'), program('return 7')])
  const result = await at.perform()
  expect(result).toMatchObject({ exit: 'done', steps: 2 })
  expect(at.requests).toHaveLength(1)
  expect(JSON.stringify(at.requests[0])).toContain('return x + 1')
  expect(text(at.root, 'a.py')).toBe(right)
  await at.session.close()
})

test.runIf(python)('what failed in an earlier task is not tried again: a second search gets farther', async () => {
  const wrong = Array.from({ length: 26 }, (_, i) => program(`return ${i + 100}`))
  const silent: ScriptedReply = { text: 'I see nothing.' }
  const at = await stage(
    Array.from({ length: 12 }, () => silent),
    [...wrong, right],
  )
  expect(await at.perform()).toMatchObject({ exit: 'not-done' })
  expect(text(at.root, 'a.py')).toBe(buggy)
  const again = await at.perform()
  expect(again).toMatchObject({ exit: 'done', steps: 1 })
  expect(again.events).toContainEqual(
    expect.objectContaining({ type: 'notice', text: '3 tried (examples): line 9 of a.py becomes another.' }),
  )
  expect(text(at.root, 'a.py')).toBe(right)
  await at.session.close()
})

test.runIf(python)(
  'of several files that of which the task names something is first, and each has its part of the tries',
  async () => {
    const wrong = Array.from({ length: 30 }, (_, i) => program(`return ${i + 100}`))
    const at = await stage([{ text: 'I see nothing.' }, { text: 'No.' }, { text: 'No.' }, { text: 'No.' }], wrong)
    await at.perform('a.py or b.py is wrong: there is a bug in double. Fix it.')
    expect(at.asked.map(({ path, first }) => [path, [...(first ?? [])].slice(0, 2)])).toEqual([
      ['a.py', [1, 2]],
      ['b.py', []],
    ])
    // Twelve of each, and the one that was on its way.
    expect(at.seen).toHaveLength(26)
    await at.session.close()
  },
)

test.runIf(python)(
  'of a long file the functions that the task names are read; all else stays, byte for byte',
  async () => {
    const others = (name: string) =>
      Array.from(
        { length: 60 },
        (_, i) => `def ${name}_${i}(value):\n    return value * ${i} + len(str(value))\n\n\n`,
      ).join('')
    const long = (middle: string) => `${others('above')}${middle}\n\n${others('below')}`
    const at = await stage([], [program('return x').trimEnd(), right.trimEnd()], { content: long(buggy) })
    expect(await at.perform('double() in a.py is wrong: fix the bug.')).toMatchObject({ exit: 'done', steps: 1 })
    expect(text(at.root, 'a.py')).toBe(long(right))
    expect(at.asked.map(({ content }) => content)).toEqual([buggy.trimEnd()])
    expect([...at.asked[0]!.lines]).toEqual([1, 9])
    expect([...at.asked[0]!.first!]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    await at.session.close()
    // Nothing of it is named: all of it would have to be read.
    const whole = await stage([answer(long(right))], [right], { content: long(buggy) })
    await whole.perform('There is a bug in a.py. Fix it.')
    expect(whole.asked).toEqual([])
    await whole.session.close()
  },
)

const unchecked = (body: string): string => `def double(x):\n    ${body}\n`

test.runIf(python)(
  'what no check can decide: the likeliest is taken before the model is asked, of a task that says what is wanted only a sure one',
  async () => {
    const sure = await stage([], [unchecked('return ('), unchecked('return x + x'), unchecked('return 7')], {
      content: unchecked('return x + 1'),
      logprobs: [-0.1, -0.2, -3],
    })
    const result = await sure.perform()
    expect(result).toMatchObject({ exit: 'done', steps: 1, checks: [{ name: 'syntax', passed: true }] })
    expect(text(sure.root, 'a.py')).toBe(unchecked('return x + x'))
    await sure.session.close()
    const unsure = await stage([answer(unchecked('return 2 * x'))], [unchecked('return x + x')], {
      content: unchecked('return x + 1'),
      logprobs: [-1],
    })
    expect(await unsure.perform('Fix a.py: double should give twice x.')).toMatchObject({ exit: 'done', steps: 2 })
    expect(text(unsure.root, 'a.py')).toBe(unchecked('return 2 * x'))
    await unsure.session.close()
  },
)

test.runIf(python)('a model that gives the file back as it is: its likeliest other line is taken', async () => {
  const content = unchecked('return x + 1')
  const at = await stage([answer(content)], [unchecked('return x + x')], { content, logprobs: [-4] })
  const result = await at.perform()
  expect(result).toMatchObject({ exit: 'done' })
  expect(text(at.root, 'a.py')).toBe(unchecked('return x + x'))
  await at.session.close()
})

test.runIf(python)('several faults without a check are for the model to mend', async () => {
  const content = unchecked('return x + 1')
  const at = await stage([answer(unchecked('return 2 * x'))], [unchecked('return 7')], { content, logprobs: [0] })
  expect(await at.perform('Fix all bugs in a.py')).toMatchObject({ exit: 'done', steps: 1 })
  expect(at.asked).toEqual([])
  await at.session.close()
})

test.runIf(python).each([
  ['one try', task, { tries: 1 }],
  ['a task that speaks of no fault', 'Add a docstring to double in a.py', {}],
] as const)('%s: the model is asked at once', async (_, words, options) => {
  const at = await stage([answer(right)], [program('return 7')], options)
  expect(await at.perform(words)).toMatchObject({ exit: 'done', steps: 1 })
  expect(at.asked).toEqual([])
  await at.session.close()
})

test.runIf(python)('who is asked before sees the line that was found, and nothing else was written', async () => {
  const questions: string[] = []
  const at = await stage([{ text: 'It is right now.' }], [program('return 7'), right], {
    asksBefore: () => true,
    async approve(request) {
      questions.push(JSON.stringify(request))
      return { allow: true }
    },
  })
  expect(await at.perform()).toMatchObject({ exit: 'done', changes: [{ path: 'a.py' }] })
  expect(text(at.root, 'a.py')).toBe(right)
  expect(at.seen).toEqual([buggy, buggy])
  expect(questions).toHaveLength(1)
  expect(questions[0]).toContain('return x + x')
  await at.session.close()
})

test.runIf(python)('without a sandbox a text is written for as long as it is looked at', async () => {
  const at = await stage([], [program('return 7'), right], { mode: 'full-access' })
  expect(await at.perform()).toMatchObject({ exit: 'done', changes: [{ path: 'a.py' }] })
  expect(text(at.root, 'a.py')).toBe(right)
  await at.session.close()
})

test.each(['read-only', 'workspace-write'] as const)(
  '%s, and nobody to ask: the model is asked at once',
  async (mode) => {
    const at = await stage([{ text: 'No.' }, { text: 'No.' }], [right], { mode, asksBefore: () => true })
    await at.perform()
    expect(at.asked).toEqual([])
    expect(text(at.root, 'a.py')).toBe(buggy)
    await at.session.close()
  },
)

test.runIf(python)('a search that fails leaves the file as it was, and the model is asked', async () => {
  const at = await stage([answer(right)], [program('return x'), program('return 0')], {
    onDoubt: () => {
      if (at.seen.length === 2) throw new Error('no room')
    },
  })
  const result = await at.perform()
  expect(result).toMatchObject({ exit: 'done', steps: 2 })
  expect(JSON.stringify(result.events)).toContain('The search ended early: no room')
  expect(text(at.root, 'a.py')).toBe(right)
  await at.session.close()
})

test.runIf(python)('interrupted in the middle, the file is as it was', async () => {
  const stop = new AbortController()
  const at = await stage([], [program('return x'), program('return 0'), right], {
    onDoubt: () => at.seen.length === 2 && stop.abort(),
  })
  expect(await at.perform(task, stop.signal)).toMatchObject({ exit: 'interrupted', changes: [] })
  expect(text(at.root, 'a.py')).toBe(buggy)
  await at.session.close()
})

test.each([
  ['lib/x.py has a bug in one line.', true],
  ['Fix the failing test', true],
  ['Why? Please correct total() in cart.js', true],
  ['sum.go gives wrong results for negative numbers', true],
  ['The code is written already, but its tests fail. Correct x.py.', true],
  ['Implement the function parse in a.py', false],
  ['Rename debug to trace', false],
  ['Add a docstring', false],
])('%s: asks to mend: %s', (words, expected) => {
  expect(asksToMend(words)).toBe(expected)
})

test.runIf(python)('what cannot be parsed, or differs in a remark only, is not run', async () => {
  const remark = `# Says it twice.\n${buggy}`
  const at = await stage([], [program('return ('), remark, right], { code: openCode() })
  const { events } = await at.perform()
  const notices = events.flatMap((event) => (event.type === 'notice' ? [event.text] : []))
  expect(notices).toContain('1 tried (examples): line 9 of a.py becomes another.')
})
