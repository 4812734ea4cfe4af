/** Two hundred turns with edits, by an engine that counts every token it evaluates: what was read is never read again. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openSession } from '../../agent/index.ts'
import { dialectByName, openEmbedded } from '../../engine/index.ts'
import { fakeEngine } from '../engine/fake-engine.ts'
import { collect, missingSandbox, policyFor, put, scratch } from './support.ts'

test('evaluated ≤ 1.1 × appended, and the log gives the same tokens', { timeout: 300_000 }, async () => {
  const root = scratch({ 'AGENTS.md': 'Be brief.\n' })
  for (let n = 0; n < 10; n++)
    put(root, { [`src/f${n}.ts`]: `export const value = 0\n${`// line of ${n}\n`.repeat(20)}` })
  let asked = 0
  const engine = fakeEngine({
    contextTokens: 400_000,
    reply: () => {
      const turn = Math.floor(asked / 2)
      const first = asked++ % 2 === 0
      const now = readFileSync(join(root, `src/f${turn % 10}.ts`), 'utf8').split('\n', 1)[0]!
      const args = { path: `src/f${turn % 10}.ts`, old: now, new: `export const value = ${turn + 1}` }
      return first
        ? `<tool_call>\n${JSON.stringify({ name: 'edit', arguments: args })}\n</tool_call><|im_end|>`
        : 'Done.<|im_end|>'
    },
  })
  const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }
  const info = { name: 'fake', finishes: 'words', prompt: 'full' } as const
  const model = openEmbedded({ engine, dialect: dialectByName('qwen'), info, sampling })
  const stateFolder = scratch()
  const options = {
    model,
    root,
    sandbox: missingSandbox,
    policy: policyFor(root),
    limits: { steps: 10, tokens: 10_000, seconds: 60 },
    stateFolder,
  }
  const session = await openSession({
    ...options,
    repository: { when: 'always', startupSeconds: 20, folder: scratch() },
  })
  let appended = 0
  for (let turn = 0; turn < 200; turn++) {
    // Every fifth turn somebody else changes a file, too.
    if (turn % 5 === 4) {
      const file = join(root, `src/f${(turn + 3) % 10}.ts`)
      writeFileSync(file, readFileSync(file, 'utf8').replace(/line of \d+/, `line of ${turn}`))
    }
    const events = await collect(session.send(`Change value of number ${turn % 10}`))
    const last = events.at(-1)
    if (last?.type !== 'result' || last.exit !== 'done') throw new Error(`turn ${turn}: ${JSON.stringify(last)}`)
    for (const event of events) {
      if (event.type === 'usage') appended = event.usage.promptTokens + event.usage.generatedTokens
    }
  }
  const prompt = engine.prompts.at(-1)!
  expect(prompt.length).toBeGreaterThan(50_000)
  expect(engine.evaluated()).toBeLessThanOrEqual(1.1 * appended)
  await session.close()

  // Opened again from its log, the first request begins with the very tokens that the last one had.
  const resumed = await openSession({ ...options, resume: session.info.logFile })
  await collect(resumed.send('Change value of number 0'))
  expect(engine.prompts.at(-1)!.slice(0, prompt.length)).toEqual(prompt)
  await resumed.close()
})
