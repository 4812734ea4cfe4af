/** A command in the sandbox while the model works on the same cores: with the host giving way, and without. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEngine, type Sequence } from '../../engine/index.ts'
import { openSandbox, type Policy } from '../../sandbox/index.ts'
import { pairedRatio, spread } from './numbers.ts'

const { signal } = new AbortController()
const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }
const text = Array.from({ length: 120 }, (_, i) => `export const value${i} = compute(${i * 7}, "name ${i}")\n`).join('')
/** Tokens that are read before, read beside the command, and written beside it: a few seconds more than the command takes. */
const sizes = { before: 64, read: 1024, written: 256 }
/** The model is at work when the command begins (ms). */
const headStart = 300

const count = (steps: number): string => `i=0; while [ $i -lt ${steps} ]; do i=$((i+1)); done`
/** Some ten seconds of one core, as a compiler or tests take; and of two, as `make -j2` or a runner with workers does. */
const steps = 7_000_000
const commands = {
  'one core': count(steps),
  'two cores': `(${count(steps)}) & (${count(steps)}) & wait`,
}
const works = {
  reads: (sequence: Sequence, tokens: readonly number[]) =>
    sequence.prefill(tokens.slice(sizes.before, sizes.before + sizes.read), { signal }),
  writes: async (sequence: Sequence, tokens: readonly number[]) => {
    const options = { sampling, maxTokens: sizes.written, signal, speculate: false }
    for await (const _ of sequence.generate(tokens[sizes.before] ?? 0, options));
  },
}

/** Seconds until each has come to its end. */
interface Pair {
  readonly command: number
  readonly model: number
}

type Work = keyof typeof works
type Command = keyof typeof commands
type Pairs = Map<string, Pair>
const cases = (Object.keys(works) as Work[]).flatMap((work) =>
  (Object.keys(commands) as Command[]).map((command) => ({ work, command, name: `${work}, beside ${command}` })),
)

/** Both finish sooner where the host gives threads up: the ratios are without ÷ with, so above 1 is what is asked for. */
export async function benchYield(model: string, rounds: number): Promise<string[]> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'cachalot-bench-')))
  try {
    const [giving, steady]: [Pairs[], Pairs[]] = [[], []]
    for (let round = 0; round < rounds; round++) {
      steady.push(await together(model, root, true))
      giving.push(await together(model, root, false))
    }
    const cells = (name: string, what: keyof Pair): string => {
      const of = (all: readonly Pairs[]): number[] => all.map((pairs) => pairs.get(name)?.[what] ?? Number.NaN)
      return `${spread(of(steady), 's')} ÷ ${spread(of(giving), 's')} | ${pairedRatio(of(steady), of(giving)).toFixed(2)}`
    }
    return [
      '| the model | the command: all threads ÷ giving way | ratio (median of pairs) | the model: the same | ratio | aim |',
      '|---|---|---|---|---|---|',
      ...cases.map(({ name }) => `| ${name} | ${cells(name, 'command')} | ${cells(name, 'model')} | > 1 |`),
    ]
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

async function together(file: string, root: string, steady: boolean): Promise<Pairs> {
  const sandbox = await openSandbox({ roots: [root] })
  const none: readonly string[] = []
  const policy: Policy = {
    ...{ mode: 'workspace-write', roots: [root], network: 'off' },
    ...{ extraWrite: none, denyRead: none, passEnv: none },
  }
  const limits = { seconds: 120, outputBytes: 1000 }
  // The host takes it from our environment when it is started.
  process.env['CACHALOT_STEADY_THREADS'] = steady ? '1' : '0'
  const engine = await openEngine({ file, contextTokens: 2048, sequences: 1, gpuLayers: 0 })
  try {
    const tokens = await engine.tokenize(text, { control: false })
    const sequence = await engine.sequence()
    // Weights and buffers are warm.
    await sequence.prefill(tokens.slice(0, 4 * sizes.before), { signal })
    const pairs: Pairs = new Map()
    for (const { work, command, name } of cases) {
      await sequence.rewind(sizes.before)
      const timed = async (done: Promise<unknown>): Promise<number> => {
        const began = performance.now()
        await done
        return (performance.now() - began) / 1000
      }
      const speaking = timed(works[work](sequence, tokens))
      await new Promise((resolve) => setTimeout(resolve, headStart))
      const running = timed(sandbox.run({ line: commands[command], cwd: root }, { policy, limits, signal }))
      pairs.set(name, { command: await running, model: await speaking })
    }
    return pairs
  } finally {
    await engine.close()
  }
}
