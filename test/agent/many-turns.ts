/** A long session with edits, ours and of others, by an engine that counts every token that it evaluates. For the test and the bench. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSession, type SessionOptions } from '../../agent/index.ts'
import { dialectByName, openEmbedded } from '../../engine/index.ts'
import type { Sandbox } from '../../sandbox/index.ts'
import { fakeEngine } from '../engine/fake-engine.ts'

export interface LongSession {
  readonly evaluated: number
  /** All that is in the conversation at its end. */
  readonly appended: number
  /** The last request. */
  readonly prompt: readonly number[]
  readonly options: SessionOptions
  readonly logFile: string
  /** What the engine was given since. */
  readonly prompts: readonly (readonly number[])[]
}

const files = 10
const noSandbox: Sandbox = {
  backend: 'none',
  guarantees: [],
  problem: { kind: 'missing', message: 'no command is run' },
  run: async () => {
    throw new Error('never called')
  },
}

/** `place`: an empty folder. Rejects when a turn ends otherwise than done. */
export async function longSession(place: string, turns: number): Promise<LongSession> {
  const root = join(place, 'root')
  mkdirSync(join(root, 'src'), { recursive: true })
  writeFileSync(join(root, 'AGENTS.md'), 'Be brief.\n')
  const fileOf = (turn: number): string => `src/f${turn % files}.ts`
  for (let n = 0; n < files; n++)
    writeFileSync(join(root, fileOf(n)), `export const value = 0\n${`// line of ${n}\n`.repeat(20)}`)
  let asked = 0
  const engine = fakeEngine({
    contextTokens: 400_000,
    reply: () => {
      const turn = Math.floor(asked / 2)
      const first = asked++ % 2 === 0
      const now = readFileSync(join(root, fileOf(turn)), 'utf8').split('\n', 1)[0]!
      const args = { path: fileOf(turn), old: now, new: `export const value = ${turn + 1}` }
      return first
        ? `<tool_call>\n${JSON.stringify({ name: 'edit', arguments: args })}\n</tool_call><|im_end|>`
        : 'Done.<|im_end|>'
    },
  })
  const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }
  const info = { name: 'fake', finishes: 'words', prompt: 'full' } as const
  const options: SessionOptions = {
    model: openEmbedded({ engine, dialect: dialectByName('qwen'), info, sampling }),
    root,
    sandbox: noSandbox,
    policy: {
      ...{ mode: 'workspace-write', roots: [root], network: 'off' },
      ...{ extraWrite: [], denyRead: [], passEnv: [] },
    },
    limits: { steps: 10, tokens: 10_000, seconds: 60 },
    stateFolder: join(place, 'state'),
  }
  const repository = { when: 'always', startupSeconds: 20, folder: join(place, 'repository') } as const
  const session = await openSession({ ...options, repository })
  let appended = 0
  for (let turn = 0; turn < turns; turn++) {
    // Every fifth turn somebody else changes a file, too.
    if (turn % 5 === 4) {
      const file = join(root, fileOf(turn + 3))
      writeFileSync(file, readFileSync(file, 'utf8').replace(/line of \d+/, `line of ${turn}`))
    }
    for await (const event of session.send(`Change value of number ${turn % files}`)) {
      if (event.type === 'usage') appended = event.usage.promptTokens + event.usage.generatedTokens
      if (event.type === 'result' && event.exit !== 'done') throw new Error(`turn ${turn}: ${JSON.stringify(event)}`)
    }
  }
  const evaluated = engine.evaluated()
  await session.close()
  const { logFile } = session.info
  return { evaluated, appended, prompt: engine.prompts.at(-1) ?? [], options, logFile, prompts: engine.prompts }
}
