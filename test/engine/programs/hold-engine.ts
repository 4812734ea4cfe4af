/** Opens an engine and then: `idle` waits, `busy` generates for ever, `leave` ends without closing it. */
import { openEngine } from '../../../engine/index.ts'

const [file = '', how] = process.argv.slice(2)
const engine = await openEngine({ file, contextTokens: 32768, threads: 1 })
const sequence = await engine.sequence()
const { signal } = new AbortController()
await sequence.prefill([65, 66, 67], { signal })
process.stdout.write('ready\n')
if (how === 'idle') setInterval(() => undefined, 1000)
if (how === 'busy') {
  const sampling = { temperature: 1, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }
  while (true) {
    await sequence.rewind(3)
    for await (const { end } of sequence.generate(65, { sampling, maxTokens: 30_000, signal })) if (end) break
  }
}
