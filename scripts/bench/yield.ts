/** A command in the sandbox while the model works on the same cores: with the host giving way, and without. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEngine } from '../../engine/index.ts'
import { openSandbox, type Policy } from '../../sandbox/index.ts'
import { pairedRatio, spread } from './numbers.ts'

const { signal } = new AbortController()
const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }
const prompt = Array.from({ length: 40 }, (_, i) => `export const value${i} = compute(${i * 7}, "name ${i}")\n`).join(
  '',
)
/** A few seconds of one core. */
const line = 'i=0; while [ $i -lt 1500000 ]; do i=$((i+1)); done'
const replyTokens = 96

/** Seconds until each has come to its end; they begin together. */
interface Pair {
  readonly command: number
  readonly model: number
}

/** Both finish sooner where the host gives threads up: the ratios are without ÷ with, so above 1 is what is asked for. */
export async function benchYield(model: string, rounds: number): Promise<string[]> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'cachalot-bench-')))
  try {
    const [giving, steady]: [Pair[], Pair[]] = [[], []]
    for (let round = 0; round < rounds; round++) {
      giving.push(await together(model, root, false))
      steady.push(await together(model, root, true))
    }
    const row = (what: keyof Pair): string => {
      const [ours, theirs] = [giving, steady].map((pairs) => pairs.map((pair) => pair[what]))
      return `| ${what} | ${spread(ours!, 's')} | ${spread(theirs!, 's')} | ${pairedRatio(theirs!, ours!).toFixed(2)} | > 1 |`
    }
    return [
      '| finished after | giving way | all threads | ratio (median of pairs) | aim |',
      '|---|---|---|---|---|',
      row('command'),
      row('model'),
    ]
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

async function together(file: string, root: string, steady: boolean): Promise<Pair> {
  const sandbox = await openSandbox({ roots: [root] })
  const none: readonly string[] = []
  const policy: Policy = {
    ...{ mode: 'workspace-write', roots: [root], network: 'off' },
    ...{ extraWrite: none, denyRead: none, passEnv: none },
  }
  // The host takes it from our environment when it is started.
  process.env['CACHALOT_STEADY_THREADS'] = steady ? '1' : '0'
  const engine = await openEngine({ file, contextTokens: 2048, sequences: 1, gpuLayers: 0 })
  try {
    const tokens = await engine.tokenize(prompt, { control: false })
    const sequence = await engine.sequence()
    await sequence.prefill(tokens.slice(0, 64), { signal })
    const began = performance.now()
    const since = (): number => (performance.now() - began) / 1000
    const limits = { seconds: 120, outputBytes: 1000 }
    const command = sandbox.run({ line, cwd: root }, { policy, limits, signal }).then(since)
    const speaking = (async () => {
      await sequence.prefill(tokens.slice(64), { signal })
      for await (const _ of sequence.generate(tokens[0]!, {
        sampling,
        maxTokens: replyTokens,
        signal,
        speculate: false,
      }));
      return since()
    })()
    return { command: await command, model: await speaking }
  } finally {
    await engine.close()
  }
}
