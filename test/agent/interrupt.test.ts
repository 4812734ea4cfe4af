import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { openSandbox } from '../../sandbox/index.ts'
import { collect, perform, put, type Stage, scratch, stage, text } from './support.ts'

/** Aborts when an event of this type comes; gives the milliseconds from then to the result. */
async function abortAt(at: Stage, type: string): Promise<number> {
  const controller = new AbortController()
  let aborted = 0
  for await (const event of at.session.send('Go', { signal: controller.signal })) {
    if (event.type === type && aborted === 0) {
      aborted = performance.now()
      controller.abort()
    }
    if (event.type === 'result') {
      expect(event).toMatchObject({ exit: 'interrupted', exitCode: 130 })
      return performance.now() - aborted
    }
  }
  throw new Error('no result')
}

/** Milliseconds: far less than what is interrupted would take. How fast it really is, the bench measures (`interrupt`). */
const soon = 3000

const read = { calls: [{ name: 'read', arguments: { path: 'a' } }] }

test.each([
  ['prefill', { text: 'x', delayMs: 10_000 }],
  ['text', { text: 'many words '.repeat(200), chunkMs: 50 }],
  ['call-start', { ...read, chunkMs: 1000 }],
])('an interruption inside %s ends the run at once, and the next one works', async (type, reply) => {
  const at = await stage([reply, read, { text: 'Here I am.' }], { files: { a: 'a\n' } })
  expect(await abortAt(at, type)).toBeLessThan(soon)
  expect(await perform(at, 'Again')).toMatchObject({ exit: 'done', text: 'Here I am.' })
})

const mode = (await openSandbox()).problem === undefined ? 'workspace-write' : 'full-access'

test('an interruption inside a command ends it at once with all its processes; the log stays valid', async () => {
  const mark = `31${process.pid}`
  const command = `echo started; sleep ${mark} & sleep ${mark}`
  const calls = [{ name: 'shell', arguments: { command } }, ...read.calls]
  const at = await stage([{ calls }, { text: 'Stopped.' }], { files: { a: 'a\n' }, mode })
  expect(await abortAt(at, 'output')).toBeLessThan(soon)
  expect(await perform(at, 'Again')).toMatchObject({ exit: 'done' })
  const results = at.model.requests.at(-1)?.messages.filter(({ role }) => role === 'tool')
  expect(results).toMatchObject([{ ok: false }, { ok: false, text: expect.stringContaining('Interrupted') }])
  const running = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
  expect(running).not.toContain(`sleep ${mark}`)
})

test('a model that does not hear the signal is left behind, and waited for by the next run', async () => {
  const at = await stage([{ text: 'Now.' }], { files: { a: 'a\n' } })
  let late = false
  const deaf: typeof at.model = {
    ...at.model,
    start: async (prefix) => {
      const session = await at.model.start(prefix)
      let first = true
      return Object.assign(Object.create(session), {
        append: session.append,
        async *respond(options: Parameters<typeof session.respond>[0]) {
          if (!first) return yield* session.respond(options)
          first = false
          yield { type: 'prefill', done: 0, total: 1, cached: 0 }
          await new Promise((resolve) => setTimeout(resolve, 2500))
          late = true
          const message = {
            role: 'assistant',
            reasoning: '',
            text: '',
            calls: [{ id: 'late', name: 'read', arguments: {} }],
          }
          yield { type: 'done', stop: 'aborted', message, usage: session.usage }
        },
      })
    },
  }
  const other = { ...(await stage([], { root: at.root, model: deaf })), model: at.model }
  await abortAt(other, 'prefill')
  expect(late).toBe(false)
  const events = await collect(other.session.send('Again'))
  expect(late).toBe(true)
  expect(events.at(-1)).toMatchObject({ exit: 'done' })
  const told = at.model.requests.at(-1)?.messages ?? []
  expect(told.filter(({ role }) => role === 'tool')).toMatchObject([{ callId: 'late', ok: false }])
})

test('an interruption before anything began', async () => {
  const at = await stage([{ text: 'never' }], { files: { a: 'a\n' } })
  expect(await perform(at, 'Go', AbortSignal.abort())).toMatchObject({ exit: 'interrupted', steps: 0 })
  expect(at.model.requests).toHaveLength(0)
})

test('what was done before an interruption stays and is told', async () => {
  const root = scratch()
  put(root, { a: 'one\n' })
  const write = { calls: [{ name: 'write', arguments: { path: 'a', content: 'two\n' } }] }
  const at = await stage([write, { text: 'slow', delayMs: 10_000 }], { root })
  const controller = new AbortController()
  let result: unknown
  for await (const event of at.session.send('Go', { signal: controller.signal })) {
    if (event.type === 'step' && event.step === 2) controller.abort()
    if (event.type === 'result') result = event
  }
  expect(result).toMatchObject({ exit: 'interrupted', changes: [{ path: 'a', kind: 'changed' }] })
  expect(text(root, 'a')).toBe('two\n')
})
