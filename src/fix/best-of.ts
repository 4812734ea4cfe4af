/** `--best-of N`: several attempts, each in a place of its own; the smallest repair that passes is taken over. */
import { type AgentEvent, openSession } from '../../agent/index.ts'
import type { Model } from '../../engine/index.ts'
import type { Config } from '../config/settings.ts'
import { openShadow, type Shadow } from '../git/shadow.ts'
import { openWantedSandbox, sandboxPolicy } from '../open/sandbox.ts'
import { sessionSettings } from '../open/workplace.ts'
import type { Paths } from '../paths.ts'
import { openAttemptPlace } from './attempt.ts'
import { type Repair, type RepairOptions, repair } from './repair.ts'
import { runCheck } from './reproduce.ts'

export interface BestOfOptions extends Omit<RepairOptions, 'session'> {
  readonly attempts: number
  readonly model: Model
  readonly config: Config
  readonly paths: Paths
  /** Absolute path of the work tree. */
  readonly cwd: string
}

interface Tried {
  readonly number: number
  readonly done: Repair
  readonly patch: string
  /** Lines that the patch adds and removes. */
  readonly size: number
}

/** A repair cannot be smaller than one line that differs. */
const smallest = 2

/**
 * Makes the attempts one after the other and gives the best as a repair of the work tree itself, where the check is run
 * once more. Each attempt has the limits of a run for itself.
 */
export async function bestOf(options: BestOfOptions): Promise<Repair> {
  const { attempts, shadow, check, onEvent } = options
  const before = await shadow.record()
  const note = (text: string): void => onEvent({ type: 'notice', level: 'info', text } satisfies AgentEvent)
  const tried: Tried[] = []
  for (let number = 1; number <= attempts; number++) {
    note(`attempt ${number} of ${attempts}`)
    const one = await attempt(options, before, number)
    tried.push(one)
    const { exit } = one.done
    note(`attempt ${number}: ${exit}${exit === 'fixed' ? `, ${one.size} lines` : ''}`)
    if (exit === 'interrupted' || exit === 'model' || exit === 'sandbox') break
    if (exit === 'fixed' && one.size <= smallest) break
  }
  const refused = tried.flatMap(({ done }) => done.refused)
  const fixed = tried.filter(({ done }) => done.exit === 'fixed').sort((one, other) => one.size - other.size)
  const [best] = fixed
  const last = best ?? tried.findLast(({ done }) => done.exit === 'refused') ?? tried.at(-1)!
  const told = { before, refused, rounds: tried.reduce((sum, { done }) => sum + done.rounds, 0), last: last.done.last }
  if (best === undefined) {
    return { ...told, exit: last.done.exit, text: last.done.text, after: before, attempt: last.patch }
  }
  await shadow.apply(best.patch)
  const after = await shadow.record()
  note(`attempt ${best.number} is taken over: the smallest of ${fixed.length} that pass`)
  const run = await runCheck(check)
  options.onCheck(run)
  const exit = run.passed ? 'fixed' : 'not-fixed'
  const text = run.passed
    ? best.done.text
    : 'The repair passes in a copy of the work tree and not in the work tree itself.'
  return { ...told, last: run, exit, text, after }
}

async function attempt(options: BestOfOptions, record: string, number: number): Promise<Tried> {
  const { cwd, paths, config, model, shadow: original, check, ...rest } = options
  const place = await openAttemptPlace({ cwd, stateFolder: paths.state, shadow: original, record })
  let shadow: Shadow | undefined
  try {
    shadow = await openShadow(place.root)
    const sandbox = await openWantedSandbox(config, place.root)
    const varied = number === 1 ? config : sampled(config, number)
    const session = await openSession({
      ...sessionSettings({ config: varied, cwd: place.root, paths, tasksQuoteOutput: true }),
      ...{ model, sandbox },
    })
    try {
      const policy = sandboxPolicy(config, place.root)
      const done = await repair({ ...rest, shadow, session, check: { ...check, cwd: place.root, sandbox, policy } })
      const patch = await shadow.patch(done.before, done.after)
      return { number, done, patch, size: patch.match(/^[+-](?![+-]{2} )/gm)?.length ?? 0 }
    } finally {
      await session.close()
    }
  } finally {
    shadow?.remove()
    await place.remove()
  }
}

/** Attempts after the first are sampled, each by a seed of its own: greedy ones would all be the same. */
const sampled = (config: Config, number: number): Config => ({
  ...config,
  temperature: config.temperature ?? 0.7,
  seed: (config.seed ?? 0) + number,
})
