/** The rounds of a repair: the model tries, we take back what it may not do, and run the check ourselves. */
import type { AgentEvent, SendOptions, Session } from '../../agent/index.ts'
import type { Shadow } from '../git/shadow.ts'
import { causeOf, causeQuestion } from './cause.ts'
import type { CheatKind } from './cheat-patterns.ts'
import { type Cheat, findCheats } from './cheats.ts'
import { changedPackages } from './installed.ts'
import { leadsOf } from './leads.ts'
import { type CheckOptions, type CheckRun, runCheck } from './reproduce.ts'
import type { FixExit } from './result.ts'
import { firstTask, nextTask, putBackText } from './tasks.ts'

export interface RepairOptions {
  readonly session: Session
  readonly shadow: Shadow
  readonly check: CheckOptions
  /** The check as it failed before. */
  readonly red: CheckRun
  readonly allowed: ReadonlySet<CheatKind>
  /** How often the model is told of the check's outcome before it is over. */
  readonly rounds: number
  readonly onEvent: (event: AgentEvent) => void
  readonly onCheck: (run: CheckRun) => void
}

export interface Repair {
  readonly exit: FixExit
  readonly text: string
  /** The record before the first round. */
  readonly before: string
  /** The record of what is there now, before the last check ran. */
  readonly after: string
  readonly refused: readonly Cheat[]
  readonly last: CheckRun
  readonly rounds: number
  /** What was tried elsewhere and did not repair it, as a patch. */
  readonly attempt?: string
}

/**
 * A check that takes no longer is also what a small model's attempts at a round are judged by, so that it may find the repair in
 * one of several. It says nothing for good there: what may not be done is taken back, and the check is run again, in any case.
 */
const quickSeconds = 30

type RunResult = Extract<AgentEvent, { type: 'result' }>

export async function repair(options: RepairOptions): Promise<Repair> {
  const { session, shadow, check, red, allowed } = options
  const before = await shadow.record()
  const refused: Cheat[] = []
  const small = session.info.model.prompt === 'small'
  let leads = leadsOf(red, check, allowed)
  let task = firstTask(check, red, leads, { small, allowed })
  let last = red
  let after = before
  const began = Date.now()
  for (let round = 1; ; round++) {
    const cheats: Cheat[] = []
    const putBack = async (): Promise<readonly Cheat[]> => {
      const found = await takeBack(shadow, before, check.command, allowed)
      for (const list of [cheats, refused]) list.push(...found.filter((cheat) => !list.some((one) => same(one, cheat))))
      return found
    }
    const judged = small && red.seconds <= quickSeconds ? { check: check.command } : {}
    // A large model hears of it in its next round, a small one begins its next attempt with it.
    const guarded = small ? { putBack: async () => putBackText(await putBack(), leads) } : {}
    // Shown a test, or the check, it would write that again.
    const files = leads.suspects.map(({ path }) => path)
    const shown = small && files.length > 0 ? { files } : {}
    const result = await send(session, task, options, { ...judged, ...guarded, ...shown })
    await putBack()
    after = await shadow.record()
    const state = { before, after, refused, rounds: round }
    if (result.exit === 'interrupted' || check.signal.aborted)
      return { ...state, last, exit: 'interrupted', text: result.text }
    if (!allowed.has('packages')) {
      const changed = await changedPackages(check.cwd, await shadow.ignored(), began)
      // There is no record to put them back from: no check of this work tree says anything any more.
      if (changed.length > 0)
        return { ...state, refused: [...refused, ...changed], last, exit: 'refused', text: spoilt }
    }
    if (after !== before) {
      last = await runCheck(check)
      options.onCheck(last)
      if (last.passed) return { ...state, last, exit: 'fixed', text: await tellCause(result, after, options, !small) }
    }
    if (result.exit === 'model' || result.exit === 'sandbox' || result.exit === 'limit') {
      return { ...state, last, exit: result.exit, text: result.text }
    }
    if (round >= options.rounds) {
      return { ...state, last, exit: refused.length > 0 ? 'refused' : 'not-fixed', text: result.text }
    }
    leads = leadsOf(last, check, allowed)
    task = nextTask(check, last, leads, { cheats, differs: after !== before, small, allowed })
  }
}

const spoilt =
  'Installed packages were changed, and cannot be put back from here. Install them again (npm ci or the like) before the next run.'

/** The model's own words, or, where it gave none, its answer to a question; what that answer touches is put back. */
async function tellCause(result: RunResult, after: string, options: RepairOptions, asked: boolean): Promise<string> {
  if (result.exit !== 'done' && result.exit !== 'not-done') return ''
  const said = result.exit === 'done' ? causeOf(result, asked) : ''
  if (said !== '') return said
  const { shadow } = options
  const answer = await send(options.session, causeQuestion, options)
  const touched = await shadow.changes(after, await shadow.record())
  await shadow.restore(
    after,
    touched.map(({ path }) => path),
  )
  return answer.exit === 'done' ? causeOf(answer, true) : ''
}

async function send(
  session: Session,
  task: string,
  { check: { signal }, onEvent }: RepairOptions,
  judge: Pick<SendOptions, 'check' | 'putBack' | 'files'> = {},
): Promise<RunResult> {
  let result: RunResult | undefined
  for await (const event of session.send(task, { signal, ...judge })) {
    if (event.type === 'result') result = event
    else onEvent(event)
  }
  if (result === undefined) throw new Error('The session ended without a result: this is a fault of Cachalot.')
  return result
}

/** Puts every file back in which something was done that is not allowed, and names it. */
async function takeBack(
  shadow: Shadow,
  before: string,
  check: string,
  allowed: ReadonlySet<CheatKind>,
): Promise<readonly Cheat[]> {
  const changes = await shadow.changes(before, await shadow.record())
  const cheats = findCheats(changes, check).filter(({ kind }) => !allowed.has(kind))
  await shadow.restore(before, [...new Set(cheats.map(({ path }) => path))])
  return cheats
}

const same = (one: Cheat, other: Cheat): boolean => one.path === other.path && one.what === other.what
