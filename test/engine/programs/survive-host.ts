/** Kills its own engine host in the middle of a reply and tells what became of the reply. Nothing else keeps it alive. */
import { readdirSync, readFileSync } from 'node:fs'
import { openEngine } from '../../../engine/index.ts'

const file = process.argv[2]
if (file === undefined) throw new Error('usage: survive-host.ts FILE')

const children = (): number[] =>
  readdirSync(`/proc/${process.pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${process.pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
  )

const engine = await openEngine({ file, contextTokens: 2048, gpuLayers: 0 })
const sequence = await engine.sequence()
const [first] = await engine.tokenize('a', { control: false })
const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }
try {
  const reply = sequence.generate(first ?? 0, { sampling, maxTokens: 1500, signal: new AbortController().signal })
  for await (const _ of reply) for (const pid of children()) process.kill(pid, 'SIGKILL')
  process.stdout.write('ended\n')
} catch (error) {
  process.stdout.write(`failed: ${error instanceof Error ? error.message : String(error)}\n`)
}
