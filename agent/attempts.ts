/**
 * Attempts at a task, and which of them stays.
 *
 * An attempt that the model ends as done climbs the ladder of checks (checks/ladder.ts) on the files as they are. What fails
 * there is tried again. A small model gets a fresh attempt: files and context go back to where the task was given, so that it
 * is not poisoned by its own errors, and the new request shows in a few lines what failed; the second attempt is as greedy as
 * the first, later ones are sampled; a model that writes several replies at once for less than one after the other (see
 * turn/together.ts) writes the sampled ones so. Where the model cannot go back, or is large enough to mend its own work, it is told what
 * failed and goes on. When no attempt passes, the one that came farthest stays, unless the files as they were come farther
 * still; the run is then not done.
 *
 * Where no check looks at what the code does, the first attempt stays; only when the user asked for several (`--tries`) are
 * they compared, and the most frequent is taken, the one among equals that the model was surest of.
 */
import { checkAttempt, checkOriginal } from './checks/turn.ts'
import { type Attempt, type Attempted, choose, failureText, farthest, keyOf, notDone, settled } from './choice.ts'
import type { Mark } from './conversation.ts'
import { asReply, type Mending, mendByDoubt } from './doubts.ts'
import type { AgentEvent } from './events.ts'
import { inSteps } from './steps.ts'
import { Certainty } from './turn/certainty.ts'
import type { Spending } from './turn/limits.ts'
import type { Reply } from './turn/reply.ts'
import { halted, rounds, stoppedBy } from './turn/rounds.ts'
import { samplingOf } from './turn/sampling.ts'
import { together } from './turn/together.ts'
import type { Turn } from './turn/turn.ts'
import { asksToMend } from './turn/wishes.ts'

/** Attempts where the user does not say how many. */
const usual = { small: 4, full: 3 } as const
/**
 * Seconds of a run within which a further attempt has to be expected to end, where the user does not say how many: so many
 * times the first one, but at least and at most this. A task that the model cannot do should not cost much more than one it can.
 */
const patience = { first: 5, least: 45, most: 180 } as const

export async function* attempts(turn: Turn, spending: Spending, task: string): AsyncGenerator<AgentEvent, Attempted> {
  if (turn.steps !== undefined) return yield* inSteps(turn, spending, task, turn.steps)
  const mark = turn.info.prompt === 'small' ? await turn.conversation.mark() : undefined
  return mark === undefined ? yield* mended(turn, spending, task) : yield* afresh(turn, spending, task, mark)
}

/** The model hears what failed and goes on from there. */
async function* mended(turn: Turn, spending: Spending, task: string): AsyncGenerator<AgentEvent, Attempted> {
  const tries = turn.tries ?? usual.full
  /** What failed last: of an attempt that ends before its own checks, it is all that is known. What passed then may fail now. */
  let checks: Attempted['checks'] = []
  for (let attempt = 1; ; attempt++) {
    const ending = yield* rounds(turn, spending, task)
    if (ending.exit !== 'done') return { ending, checks }
    const putBack = await turn.putBack?.()
    const climbed = await checkAttempt(turn, spending, task, { putBack })
    if (climbed === undefined) return { ending: halted(turn, spending) ?? ending, checks }
    if (climbed.failed === undefined) return { ending, checks: climbed.reports }
    const failed = failureText(climbed.failed)
    if (attempt >= tries) return { ending: notDone([failed], attempt), checks: climbed.reports }
    const stop = halted(turn, spending)
    if (stop !== undefined) return { ending: stop, checks: climbed.reports }
    checks = climbed.reports.filter(({ passed }) => passed === false)
    yield { type: 'notice', level: 'warning', text: `A check failed: ${failed}` }
    await turn.conversation.append([{ role: 'user', text: `A check of your change failed.\n${failed}\nMend it.` }])
  }
}

async function* afresh(
  turn: Turn,
  spending: Spending,
  task: string,
  mark: Mark,
): AsyncGenerator<AgentEvent, Attempted> {
  const tries = turn.tries ?? usual.small
  const seen = new Map(turn.toolContext.seen)
  const heard: string[] = []
  const steering = () => {
    const words = turn.steering()
    heard.push(...words)
    return words
  }
  const forget = (): void => {
    turn.toolContext.seen?.clear()
    for (const [path, fingerprint] of seen) turn.toolContext.seen?.set(path, fingerprint)
  }
  let from = mark
  const back = async (): Promise<void> => {
    await turn.conversation.rewind(from)
    forget()
  }
  let isAnew = false
  /** Lets the model write the functions without seeing them, where they do what they should not: nothing else is to be another. */
  const anew = async (failed: string): Promise<boolean> => {
    if (isAnew || turn.anew === undefined || !asksToMend(task) || !/^(?:examples|check|tests): /.test(failed))
      return false
    if (!(await turn.anew(rewrite(failed)))) return false
    from = (await turn.conversation.mark()) ?? from
    isAnew = true
    return true
  }
  // Where the user wants several, no check may tell them apart.
  const next = (number: number): Turn => ({
    ...turn,
    // From the same words it would write the same again, and what was cut shows where greed leads.
    sampling: samplingOf(turn.sampling, isAnew || made.at(-1)?.ending.exit === 'limit' ? number + 1 : number),
    unseen: isAnew,
    certainty: turn.tries === undefined ? undefined : new Certainty(),
  })
  const made: Attempt[] = []
  /** The attempt whose files and words are in place. */
  let here: Attempt | undefined
  const began = spending.seconds
  let first: number | undefined
  let mending: Mending | undefined
  /** Seconds spent looking for what is there without asking. */
  let looked = 0

  /** One attempt, with what its checks say. Undefined: it is not the end. */
  async function* attempt(on: Turn, reply?: Reply): AsyncGenerator<AgentEvent, Attempted | undefined> {
    const ending = yield* rounds({ ...on, steering }, spending, task, reply)
    const certainty = on.certainty?.mean
    const stopped = stoppedBy(turn, spending, ending)
    if (stopped !== undefined) {
      const best = farthest(made)
      // What a broken-off attempt leaves is worth less than a whole one.
      if (best !== undefined && best.held.length > 0) await turn.changes.put(best.held)
      return { ending: stopped, checks: best?.climbed?.reports ?? [] }
    }
    const putBack = await turn.putBack?.()
    const held = await turn.changes.differences()
    const key = keyOf(held)
    const same = made.find((other) => other.key === key && other.putBack === putBack && other.climbed !== undefined)
    const climbed =
      ending.exit === 'done' ? (same?.climbed ?? (await checkAttempt(turn, spending, task, { putBack }))) : undefined
    if (ending.exit === 'done' && climbed === undefined) {
      return { ending: halted(turn, spending) ?? ending, checks: [] }
    }
    here = { ending, climbed, held, putBack, key, certainty }
    made.push(here)
    return passed(here) && (climbed?.decided || turn.tries === undefined)
      ? { ending, checks: climbed?.reports ?? [] }
      : undefined
  }

  /** Attempts whose first replies are written at once; each is tried by itself as it ends, the first that passes ends the rest. */
  async function* sideBySide(count: number): AsyncGenerator<AgentEvent, Attempted | undefined> {
    const shared = turn.conversation.placed.length
    const turns = Array.from({ length: count }, (_, i) => next(made.length + 1 + i))
    for await (const { turn: on, events, reply } of together(turns, spending)) {
      spending.steps += 1
      yield { type: 'step', step: spending.steps }
      yield* events
      const over = yield* attempt(on, reply)
      if (over !== undefined) {
        // It goes on from what was said on the fork.
        const said = on.conversation.placed.slice(shared).map(({ message }) => message)
        await turn.conversation.append(said)
        return over
      }
      here = undefined
      await turn.changes.put([])
      forget()
      if (halted(turn, spending) !== undefined) return undefined
    }
    return undefined
  }

  /** What is there without asking: before the first attempt, or where that gave the files back as they are. */
  async function* foreseen(before: number): AsyncGenerator<AgentEvent, Reply | undefined> {
    if (before === 0) mending = yield* mendByDoubt(turn, spending, task)
    if (mending === undefined || (before === 0 ? !mending.sure : !spare())) return undefined
    return await asReply(turn, spending, mending)
  }
  const spare = (): boolean => mending?.sure === false && made.length === 1 && made[0]?.held.length === 0

  for (;;) {
    const before = made.length
    // The first two are greedy and one after the other: the second often passes, and would be slower among others.
    const count = before < 2 ? 1 : Math.min(turn.info.together ?? 1, tries - before)
    let over = count > 1 ? yield* sideBySide(count) : undefined
    // There was no room for forks.
    if (over === undefined && made.length === before) {
      const began = spending.seconds
      const reply = yield* foreseen(before)
      looked += spending.seconds - began
      over = yield* attempt(next(before + 1), reply)
    }
    if (over !== undefined) return over
    // What looking took has its own bound, and read the task for the attempts.
    const spent = spending.seconds - began - looked
    first ??= spent
    const late = turn.tries === undefined && !spare() && spent + spent / made.length > patienceAfter(first)
    if (made.length >= tries || late || halted(turn, spending) !== undefined || settled(made, tries)) break

    const last = made.at(-1)!
    const failed = await whatFailed(turn, spending, task, last)
    const why = failed ?? (passed(last) ? 'no check can tell whether it is right' : last.ending.text.replace(/\.$/, ''))
    yield { type: 'notice', level: 'info', text: `Attempt ${made.length} of at most ${tries}: ${why}. Trying again.` }
    await back()
    await turn.changes.put([])
    const isCopy = last.held.length === 0 && last.putBack === undefined && last.ending.exit === 'not-done'
    const isBegun = failed !== undefined && (await anew(failed))
    const told = isBegun ? undefined : isCopy ? copied(failed) : failed && hint(failed)
    const words = [...(told === undefined ? [] : [told]), ...heard]
    await turn.conversation.append(words.map((text) => ({ role: 'user', text })))
  }

  const chosen = await choose(turn, spending, task, made)
  if (here === undefined || chosen.attempt !== here) {
    await back()
    await turn.changes.put(chosen.attempt?.held ?? [])
  }
  return { ending: chosen.ending, checks: chosen.checks }
}

const passed = ({ climbed }: Attempt): boolean => climbed !== undefined && climbed.failed === undefined

const patienceAfter = (first: number): number =>
  Math.min(patience.most, Math.max(patience.least, patience.first * first))

/** What the next request shows; undefined when nothing is known that would help. */
async function whatFailed(
  turn: Turn,
  spending: Spending,
  task: string,
  { ending, climbed, putBack }: Attempt,
): Promise<string | undefined> {
  if (climbed !== undefined) return climbed.failed === undefined ? undefined : failureText(climbed.failed)
  // Nothing was changed: what fails as it is says what there is to do.
  const asWas = await checkOriginal(turn, spending, task, await turn.changes.differences())
  const failed = asWas?.failed && failureText(asWas.failed)
  if (failed !== undefined || putBack !== undefined) return [failed, putBack].filter(Boolean).join('\n')
  return ending.exit === 'limit' ? 'the answer was too long' : undefined
}

/**
 * A small model that is shown a file likes to give it back as it is. A greedy one that hears nothing new does so again, byte for
 * byte; asked to explain first, it was seen to stop at its explanation, which costs a request more.
 */
const copied = (failed: string | undefined): string =>
  `An earlier answer to this was the code as it stands. That is wrong${failed === undefined ? '' : `: ${failed}`}\nWrite it with the change.`

/** The file is shown without the functions' bodies then. */
const rewrite = (failed: string): string =>
  `The code that stood here was wrong: ${failed}\nWrite the file anew, in another way, so that this holds.`

const hint = (failed: string): string => `An earlier answer to this was wrong: ${failed}\nAvoid that mistake.`
