/** The repository in the context is brought up to date behind the user's back, from the first change on. */
import { expect, test } from 'vitest'
import { openSession } from '../../agent/index.ts'
import { dialectByName, type Model, type ModelReadings, openEmbedded, type Segment } from '../../engine/index.ts'
import { decode, fakeEngine } from '../engine/fake-engine.ts'
import { collect, git, missingSandbox, policyFor, put, scratch } from './support.ts'

const calm = new AbortController().signal
const body = (n: number, value: number) => `export const v${n} = ${value}\n${`// a line of file ${n}\n`.repeat(40)}`

async function open(
  contextTokens = 60_000,
  prompt: 'full' | 'small' = 'full',
  /** What is not read yet is read at this speed; undefined: the repository is there whatever it costs. */
  tokensPerSecond?: number,
) {
  const root = scratch()
  git(root, 'init', '-q')
  for (let n = 0; n < 10; n++) put(root, { [`f${n}.ts`]: body(n, 0) })
  git(root, 'add', '-A')
  git(root, 'commit', '-qm', 'x')
  const engine = fakeEngine({ contextTokens, reply: () => 'Yes.<|im_end|>' })
  const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }
  const info = { name: 'fake', finishes: 'words', prompt } as const
  const embedded = openEmbedded({ engine, dialect: dialectByName('qwen'), info, sampling })
  const readings: ModelReadings = {
    tokensPerSecond: async () => tokensPerSecond,
    saved: async (prefix) => {
      const length = (segments: readonly Segment[]): number => JSON.stringify(segments).length
      return { tokens: length(prefix), saved: length(prefix.filter(({ name }) => name === 'system')) }
    },
    mark: async () => ({ first: [], digests: [], tokens: 0 }),
  }
  const model: Model = tokensPerSecond === undefined ? embedded : { ...embedded, readings }
  const options = {
    model,
    root,
    sandbox: missingSandbox,
    policy: policyFor(root),
    limits: { steps: 5, tokens: 1000, seconds: 20 },
    stateFolder: scratch(),
    repository: {
      when: tokensPerSecond === undefined ? ('always' as const) : ('auto' as const),
      startupSeconds: 20,
      folder: scratch(),
    },
  }
  return { root, engine, options, session: await openSession(options) }
}

test('a file that an ignore file names from now on leaves the context while the session rests', async () => {
  const { root, engine, session } = await open()
  await collect(session.send('Say yes'))
  put(root, { '.cachalotignore': 'f3.ts\n' })
  expect(await session.rebase({ signal: calm })).toBe(true)
  await collect(session.send('And now?'))
  expect(decode(engine.prompts.at(-1)!)).not.toContain('of file 3')
  await session.close()
})

test('the files are as they are now; only what follows the first change is read; nothing is told twice', async () => {
  const { root, engine, options, session } = await open()
  await collect(session.send('Say yes'))
  expect(await session.rebase({ signal: calm })).toBe(false)
  // What has changed goes to the end: the hottest come last.
  for (const n of [6, 7, 8, 9]) put(root, { [`f${n}.ts`]: body(n, 5) })
  await collect(session.send('And now?'))
  expect(decode(engine.prompts.at(-1)!)).toContain('+export const v8 = 5')
  const before = engine.evaluated()
  expect(await session.rebase({ signal: calm })).toBe(true)
  const read = engine.evaluated() - before
  expect(read).toBeLessThan(5500)
  await collect(session.send('Once more'))
  const prompt = decode(engine.prompts.at(-1)!)
  expect(prompt).toContain('export const v8 = 5\n')
  expect(prompt).not.toContain('export const v8 = 0')
  expect(prompt).toContain('And now?')
  // The whole of it was there already, but the new words.
  expect(engine.evaluated() - before - read).toBeLessThan(200)
  await session.close()
  const again = await openSession({ ...options, resume: session.info.logFile })
  await collect(again.send('Still there?'))
  expect(decode(engine.prompts.at(-1)!).startsWith(prompt)).toBe(true)
  await again.close()
})

test('a small model, which is told of changes and the task in one message, keeps the words of the user', async () => {
  const { root, engine, session } = await open(60_000, 'small')
  await collect(session.send('Say yes'))
  for (const n of [6, 7, 8, 9]) put(root, { [`f${n}.ts`]: body(n, 5) })
  await collect(session.send('And now?'))
  expect(decode(engine.prompts.at(-1)!)).toMatch(/\+export const v8 = 5[\s\S]*And now\?/)
  expect(await session.rebase({ signal: calm })).toBe(true)
  await collect(session.send('Once more'))
  const prompt = decode(engine.prompts.at(-1)!)
  expect(prompt).not.toContain('+export const v8 = 5')
  expect(prompt).toMatch(/Say yes[\s\S]*And now\?[\s\S]*Once more/)
  await session.close()
})

test('a run that begins meanwhile ends it, and finds all as it was', async () => {
  const { root, engine, session } = await open()
  await collect(session.send('Say yes'))
  for (let n = 0; n < 5; n++) put(root, { [`f${n}.ts`]: body(n, 7) })
  const rebased = session.rebase({ signal: calm })
  await collect(session.send('Right now'))
  expect(await rebased).toBe(false)
  expect(decode(engine.prompts.at(-1)!)).toContain('+export const v0 = 7')
  expect(engine.open()).toBe(1)
  await session.close()
})

test('where it does not fit beside the conversation it is left', async () => {
  const { root, session } = await open(16_000)
  await collect(session.send('Say yes'))
  for (let n = 0; n < 5; n++) put(root, { [`f${n}.ts`]: body(n, 7) })
  expect(await session.rebase({ signal: calm })).toBe(false)
  await session.close()
})

test.each([
  ['none', 1, 0],
  ['a part', 250, 3],
])(
  'of a repository that would have been a wait %s is there at first; the rest joins while nobody does anything',
  async (_, speed, least) => {
    const { engine, session } = await open(60_000, 'full', speed)
    await collect(session.send('Say yes'))
    const shown = (): number => decode(engine.prompts.at(-1)!).match(/export const v\d = 0/g)?.length ?? 0
    const atFirst = shown()
    expect(atFirst).toBeGreaterThanOrEqual(least)
    expect(atFirst).toBeLessThan(least === 0 ? 1 : 10)
    expect(await session.rebase({ signal: calm })).toBe(true)
    const before = engine.evaluated()
    await collect(session.send('Once more'))
    expect(shown()).toBe(10)
    const prompt = decode(engine.prompts.at(-1)!)
    expect(prompt.indexOf('export const v9 = 0')).toBeLessThan(prompt.indexOf('Say yes'))
    expect(prompt.indexOf('Say yes')).toBeLessThan(prompt.indexOf('Once more'))
    expect(engine.evaluated() - before).toBeLessThan(300)
    expect(await session.rebase({ signal: calm })).toBe(false)
    await session.close()
  },
)

test('the rest does not join where the context would be full soon, and nothing is packed for it again', async () => {
  const { root, engine, session } = await open(19_000, 'full', 1)
  await collect(session.send('Say yes'))
  expect(await session.rebase({ signal: calm })).toBe(false)
  for (let n = 0; n < 10; n++) put(root, { [`f${n}.ts`]: 'x\n' })
  expect(await session.rebase({ signal: calm })).toBe(false)
  await collect(session.send('Once more'))
  expect(decode(engine.prompts.at(-1)!)).not.toContain('The files of this repository as they were')
  await session.close()
})

test('a run that begins ends the reading of the rest; it is tried again', async () => {
  const { engine, session } = await open(60_000, 'full', 1)
  await collect(session.send('Say yes'))
  const rebased = session.rebase({ signal: calm })
  await collect(session.send('Right now'))
  expect(await rebased).toBe(false)
  expect(await session.rebase({ signal: calm })).toBe(true)
  expect(engine.open()).toBe(1)
  await session.close()
})
