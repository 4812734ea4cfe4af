/** The repository brought up to date with a model that goes back to checkpoints only: V4's structure on the real engine. */
import { afterEach, expect, test } from 'vitest'
import { openSession } from '../../agent/index.ts'
import { dialectByName, type Model, openEmbedded, openKvStore } from '../../engine/index.ts'
import { countingEngine } from '../engine/counting.ts'
import { makeModel } from '../models/index.ts'
import { collect, git, missingSandbox, policyFor, put, scratch } from './support.ts'

const calm = new AbortController().signal
const body = (n: number, value: number) => `export const v${n} = ${value}\n${`// a line of file ${n}\n`.repeat(15)}`

let model: Model | undefined
afterEach(async () => {
  await model?.close()
  model = undefined
})

async function open(kept: boolean) {
  const root = scratch()
  git(root, 'init', '-q')
  for (let n = 0; n < 10; n++) put(root, { [`f${n}.ts`]: body(n, 0) })
  git(root, 'add', '-A')
  git(root, 'commit', '-qm', 'x')
  const { file } = makeModel('tiny-ds4-copy', { reply: ['Yes', '.'] })
  const { engine, evaluated } = await countingEngine({
    file,
    contextTokens: 32_768,
    threads: 1,
    sequences: kept ? 3 : 2,
  })
  const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }
  model = openEmbedded({
    engine,
    dialect: dialectByName('deepseek-v4'),
    info: { name: 'tiny', finishes: 'words', prompt: 'full' },
    sampling,
    ...(kept && {
      kept: { store: openKvStore({ folder: scratch(), maxBytes: 1e9 }), signal: calm, onNotice: () => undefined },
    }),
  })
  const session = await openSession({
    model,
    root,
    sandbox: missingSandbox,
    policy: policyFor(root),
    limits: { steps: 3, tokens: 100, seconds: 300 },
    stateFolder: scratch(),
    repository: { when: 'always', startupSeconds: 20, folder: scratch() },
  })
  return { root, session, evaluated }
}

test.each([false, true])(
  'only what follows the change is read, in the background (readings kept: %s)',
  { timeout: 200_000 },
  async (kept) => {
    const { root, session, evaluated } = await open(kept)
    await collect(session.send('Say yes'))
    const whole = evaluated()
    // What has changed goes to the end: the hottest come last.
    for (const n of [8, 9]) put(root, { [`f${n}.ts`]: body(n, 5).replaceAll('line of', 'new line in') })
    const before = evaluated()
    expect(await session.rebase({ signal: calm })).toBe(true)
    const read = evaluated() - before
    // Two files of ten, what is said after them, and an interval of checkpoints at most.
    expect(read).toBeGreaterThan(0)
    expect(read).toBeLessThan(whole / 2)
    await collect(session.send('Once more'))
    // All of it was there, but the new words.
    expect(evaluated() - before - read).toBeLessThan(120)
    await session.close()
  },
)
