/** A command's output is read while the command still runs: after its end little is left to evaluate. */
import { expect, test, vi } from 'vitest'
import { type AgentEvent, openSession, type Session } from '../../agent/index.ts'
import { dialectByName, type Engine, openEmbedded } from '../../engine/index.ts'
import { openSandbox } from '../../sandbox/index.ts'
import { countingEngine } from '../engine/counting.ts'
import { decode, fakeEngine } from '../engine/fake-engine.ts'
import { makeModel } from '../models/index.ts'
import { collect, policyFor, put, scratch } from './support.ts'

const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }
const patience = { timeout: 60_000, interval: 20 }
const output = Array.from({ length: 60 }, (_, at) => `line ${at} of what the command says`).join('\n')
/** Prints, waits until the test has seen enough, and ends as the file says. */
const command = 'cat out; until [ -e go ]; do sleep 0.05; done; echo the end; exit $(cat go)'

async function open(engine: Engine, dialect: string, steps: number): Promise<{ root: string; session: Session }> {
  const root = scratch({ out: `${output}\n` })
  const model = openEmbedded({
    engine,
    dialect: dialectByName(dialect),
    info: { name: 'm', finishes: 'words', prompt: 'full' },
    sampling,
  })
  const session = await openSession({
    model,
    root,
    sandbox: await openSandbox({ backend: 'none' }),
    policy: policyFor(root, 'full-access'),
    limits: { steps, tokens: 1000, seconds: 300 },
    stateFolder: scratch(),
  })
  return { root, session }
}

/** Resolves when so many tokens were evaluated after the output was there. */
async function run(at: { root: string; session: Session }, evaluated: () => number, least: number, exit: number) {
  let before: number | undefined
  const events: AgentEvent[] = []
  let after = 0
  for await (const event of at.session.send('Run it')) {
    events.push(event)
    if (event.type !== 'output' || before !== undefined) continue
    const start = evaluated()
    before = start
    void vi
      .waitFor(() => expect(evaluated() - start).toBeGreaterThanOrEqual(least), patience)
      .finally(() => {
        after = evaluated()
        put(at.root, { go: `${exit}` })
      })
  }
  return { events, after }
}

const qwenCall = `<tool_call>\n${JSON.stringify({ name: 'shell', arguments: { command } })}\n</tool_call><|im_end|>`

function fake() {
  let asked = 0
  return fakeEngine({ contextTokens: 60_000, reply: () => (asked++ === 0 ? qwenCall : 'Done.<|im_end|>') })
}

test('what was printed is there when the command ends; the rest is a few words', { timeout: 100_000 }, async () => {
  const engine = fake()
  const at = await open(engine, 'qwen', 3)
  const { events, after } = await run(at, engine.evaluated, output.length - 500, 0)
  expect(events.at(-1)).toMatchObject({ type: 'result', exit: 'done' })
  expect(decode(engine.prompts.at(-1)!)).toContain(`exit code 0\n${output}\nthe end`)
  expect(engine.evaluated() - after).toBeLessThan(600)
  await at.session.close()
})

test('a command that fails was a wrong guess: it is cut off, and costs what was read', {
  timeout: 100_000,
}, async () => {
  const engine = fake()
  const at = await open(engine, 'qwen', 3)
  const { after } = await run(at, engine.evaluated, output.length - 500, 3)
  const prompt = decode(engine.prompts.at(-1)!)
  expect(prompt).toContain(`exit code 3\n${output}\nthe end`)
  expect(prompt).not.toContain('exit code 0')
  expect(engine.evaluated() - after).toBeLessThan(output.length + 200)
  await at.session.close()
})

test('so it is with a model that goes back to checkpoints only', { timeout: 120_000 }, async () => {
  const { file } = makeModel('tiny-ds4-copy', { reply: ['```sh\n', `${command}\n`, '```'] })
  const { engine, evaluated } = await countingEngine({ file, contextTokens: 8192, threads: 1, sequences: 2 })
  try {
    const at = await open(engine, 'fenced', 1)
    const tokens = (await engine.tokenize(output, { control: false })).length
    expect(tokens).toBeGreaterThan(600)
    const { events, after } = await run(at, evaluated, tokens - 100, 0)
    expect(events).toContainEqual(expect.objectContaining({ type: 'tool-result' }))
    await collect(at.session.send('And now?'))
    const rest = evaluated() - after
    expect(rest).toBeGreaterThan(0)
    // The new words of both turns, and nothing of what the command had said.
    expect(rest).toBeLessThan(300)
    await at.session.close()
  } finally {
    await engine.close()
  }
})
