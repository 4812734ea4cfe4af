/** `run --best-of N --check "<command>"`: attempts in worktrees of their own; the cheapest that passes is taken over. */
import { type AgentEvent, exitCode, openSession } from '../../agent/index.ts'
import { addUsage, type Model, noUsage } from '../../engine/index.ts'
import type { Config } from '../config/settings.ts'
import { openAttemptPlace } from '../fix/attempt.ts'
import { openShadow } from '../git/shadow.ts'
import { openModel } from '../open/model.ts'
import type { OpenModelRequest } from '../open/request.ts'
import { openWantedSandbox, sandboxPolicy } from '../open/sandbox.ts'
import { sessionSettings } from '../open/workplace.ts'
import type { Paths } from '../paths.ts'
import { count, plural } from '../terminal/numbers.ts'
import { type ResultEvent, resultOf } from './output.ts'

export interface BestOfRun {
  readonly attempts: number
  readonly task: string
  /** One model for all attempts: what they begin with is read once. The caller closes it. */
  readonly model: Model
  /** With `check`. */
  readonly config: Config
  readonly paths: Paths
  /** Absolute, real path of the work tree. */
  readonly cwd: string
  readonly signal: AbortSignal
  /** Every event but the results. */
  readonly onEvent: (event: AgentEvent) => void
}

interface Tried {
  readonly number: number
  readonly result: ResultEvent
  readonly patch: string
}

/** Opens the model and makes the attempts. Throws OpenError. */
export async function runAttempts(
  request: Omit<BestOfRun, 'model'> & OpenModelRequest,
): Promise<{ readonly result: ResultEvent; readonly model: string }> {
  // What an attempt has read is there for the next one: they begin with the same words.
  const model = await openModel({ ...request, keepSequences: 1 })
  try {
    return { result: await bestOfRun({ ...request, model }), model: model.info.name }
  } finally {
    await model.close()
  }
}

/** Seconds that the check may take in the work tree itself. */
const checkSeconds = 600

/** Makes the attempts one after the other. The work tree is changed by the best alone, and checked once more. */
export async function bestOfRun(options: BestOfRun): Promise<ResultEvent> {
  const { attempts, cwd, signal, onEvent } = options
  const began = performance.now()
  const note = (text: string): void => onEvent({ type: 'notice', level: 'info', text })
  const shadow = await openShadow(cwd)
  try {
    const before = await shadow.record()
    const tried: Tried[] = []
    for (let number = 1; number <= attempts && !signal.aborted; number++) {
      note(`attempt ${number} of ${attempts}`)
      const one = await attempt(options, shadow, before, number)
      tried.push(one)
      const { exit, usage } = one.result
      note(`attempt ${number}: ${passes(one) ? 'passes' : exit}, ${count(usage.generatedTokens)} tokens written`)
      if (exit === 'model' || exit === 'sandbox' || exit === 'interrupted') break
    }
    const seconds = (performance.now() - began) / 1000
    const passing = tried.filter(passes).sort((a, b) => costOf(a) - costOf(b) || a.number - b.number)
    const [best] = passing
    const last = tried.at(-1)?.result ?? resultOf({ exit: 'interrupted', exitCode: 130, text: 'Interrupted.' }, seconds)
    const told = {
      seconds,
      steps: tried.reduce((sum, { result }) => sum + result.steps, 0),
      usage: tried.map(({ result }) => result.usage).reduce(addUsage, noUsage),
    }
    if (best === undefined) {
      if (last.exit !== 'done' && last.exit !== 'not-done') return { ...last, ...told, changes: [] }
      const text = `None of ${plural(tried.length, 'attempt')} passes the check; nothing was changed.\n${last.text}`
      return { ...last, ...told, exit: 'not-done', exitCode: exitCode['not-done'], text, changes: [] }
    }
    await shadow.apply(best.patch)
    note(`attempt ${best.number} is taken over: the cheapest of ${passing.length} that pass`)
    if (await checkHere(options)) return { ...best.result, ...told }
    const text = 'The change passes the check in a copy of the work tree and not in the work tree itself.'
    return { ...best.result, ...told, exit: 'not-done', exitCode: exitCode['not-done'], text }
  } finally {
    shadow.remove()
  }
}

const passes = ({ result }: Tried): boolean =>
  result.exit === 'done' && result.checks.some(({ name, passed }) => name === 'check' && passed === true)

const costOf = ({ result: { usage } }: Tried): number => usage.generatedTokens

async function attempt(
  { task, model, config, paths, cwd, signal, onEvent }: BestOfRun,
  original: Awaited<ReturnType<typeof openShadow>>,
  record: string,
  number: number,
): Promise<Tried> {
  const place = await openAttemptPlace({ cwd, stateFolder: paths.state, shadow: original, record })
  const settings = sessionSettings({ config: number === 1 ? config : sampled(config, number), cwd: place.root, paths })
  const shadow = await openShadow(place.root)
  try {
    const sandbox = await openWantedSandbox(config, place.root)
    const before = await shadow.record()
    const session = await openSession({ ...settings, model, sandbox })
    try {
      let result: ResultEvent | undefined
      for await (const event of session.send(task, { signal })) {
        if (event.type === 'result') result = event
        else onEvent(event)
      }
      // Nothing of an attempt that was interrupted is taken over.
      const patch = signal.aborted ? '' : await shadow.patch(before, await shadow.record())
      return { number, result: result ?? resultOf({ exit: 'model', exitCode: 3, text: 'No result.' }, 0), patch }
    } finally {
      await session.close()
    }
  } finally {
    await settings.code?.close()
    shadow.remove()
    await place.remove()
  }
}

/** Attempts after the first are sampled, each by a seed of its own: greedy ones would all be the same. */
const sampled = (config: Config, number: number): Config => ({
  ...config,
  temperature: config.temperature ?? 0.7,
  seed: (config.seed ?? 0) + number,
})

async function checkHere({ config, cwd, signal }: BestOfRun): Promise<boolean> {
  if (config.check === undefined) return true
  const sandbox = await openWantedSandbox(config, cwd)
  const limits = { seconds: checkSeconds, outputBytes: 64 * 1024 }
  const run = await sandbox.run({ line: config.check, cwd }, { policy: sandboxPolicy(config, cwd), limits, signal })
  return run.outcome === 'exited' && run.exitCode === 0
}
