/** What `cachalot context` tells is what reading it then comes to. */
import { expect, test } from 'vitest'
import { describeContext, readAhead } from '../../../agent/index.ts'
import { dialectByName, type ModelReadings, openEmbedded, openKvStore } from '../../../engine/index.ts'
import { fakeEngine } from '../../engine/fake-engine.ts'
import { put, scratch } from '../support.ts'

const calm = new AbortController().signal

test.each(['fenced', 'qwen'])(
  'system, tools and repository are counted as the dialect %s writes them',
  async (name) => {
    const root = scratch({ 'AGENTS.md': 'Be brief.\n' })
    for (let n = 0; n < 5; n++) put(root, { [`f${n}.ts`]: `export const v${n} = ${n}\n`.repeat(10) })
    const model = openEmbedded({
      engine: fakeEngine({ contextTokens: 60_000, reply: () => 'Yes.' }),
      dialect: dialectByName(name),
      info: { name: 'fake', finishes: 'words', prompt: 'full' },
      sampling: { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 },
      kept: { store: openKvStore({ folder: scratch(), maxBytes: 1e9 }), signal: calm, onNotice: () => undefined },
    })
    const repository = { when: 'always', startupSeconds: 20, folder: scratch() } as const
    const report = await describeContext({ model, root, repository })
    const read = await readAhead({ model, root, repository, signal: calm, onProgress: () => undefined })
    expect(read?.plan.tokens).toBe(report.plan.tokens)
    // What stands around the repository's message is of nobody.
    const rest = (read?.usage.promptTokens ?? 0) - report.otherTokens - report.plan.tokens
    expect(Math.abs(rest)).toBeLessThan(60)
    await model.close()
  },
)

test('why it is in the context, in part or not, in words that are true', async () => {
  const root = scratch()
  for (let n = 0; n < 9; n++) put(root, { [`f${n}.ts`]: `export const v${n} = ${n}\n`.repeat(40) })
  const embedded = openEmbedded({
    engine: fakeEngine({ contextTokens: 60_000, reply: () => 'Yes.' }),
    dialect: dialectByName('qwen'),
    info: { name: 'fake', finishes: 'words', prompt: 'full' },
    sampling: { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 },
  })
  const why = async (speed: number | undefined, tree = root) => {
    const readings: ModelReadings = {
      tokensPerSecond: async () => speed,
      saved: async (prefix) => ({ tokens: JSON.stringify(prefix.slice(1)).length, saved: 0 }),
      mark: async () => ({ first: [], digests: [], tokens: 0 }),
    }
    const repository = { when: 'auto', startupSeconds: 20, folder: scratch() } as const
    const report = await describeContext({ model: { ...embedded, readings }, root: tree, repository })
    return [report.resident, report.why]
  }
  const later = 'is read while a session here rests, or by cachalot warm'
  expect(await why(1000)).toEqual([true, 'its reading is saved, or takes at most 20 s'])
  expect(await why(200)).toEqual([true, `as much of it as is read in 20 s; the rest ${later}`])
  expect(await why(1)).toEqual([false, `reading it takes more than 20 s; it ${later}`])
  expect(await why(undefined)).toEqual([
    false,
    `how fast this machine reads with fake is measured with the first answer; it ${later}`,
  ])
  expect(await why(1000, scratch())).toEqual([false, 'there are no files'])
})
