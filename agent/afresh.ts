/** Attempts of a small model: each begins where the task was given, and the request of the next tells what failed. */
import { checkAttempt } from './checks/turn.ts'
import { type Attempt, type Attempted, choose, failureText, farthest, keyOf, settled } from './choice.ts'
import { asReply, type Mending, mendByDoubt } from './doubts.ts'
import type { AgentEvent } from './events.ts'
import { copied, hint, rewrite, whatFailed } from './hints.ts'
import type { Mark } from './mark.ts'
import { failedOwnWork } from './own-work.ts'
import { Certainty } from './turn/certainty.ts'
import type { Spending } from './turn/limits.ts'
import type { Reply } from './turn/reply.ts'
import { halted, rounds, stoppedBy } from './turn/rounds.ts'
import { samplingOf } from './turn/sampling.ts'
import { together } from './turn/together.ts'
import type { Turn } from './turn/turn.ts'
import { asksToMend } from './turn/wishes.ts'

/** Attempts where the user does not say how many. */
const usual = 4
/**
 * Seconds of a run within which a further attempt has to be expected to end, where the user does not say how many: so many
 * times the first one, but at least and at most this. A task that the model cannot do should not cost much more than one it can.
 */
const patience = { first: 3, least: 45, most: 180 } as const

/** The attempts at one task, and where the next begins. */
interface Series {
  readonly turn: Turn
  readonly spending: Spending
  readonly task: string
  /** The most attempts. */
  readonly tries: number
  readonly made: Attempt[]
  /** The attempt whose files and words are in place. */
  here: Attempt | undefined
  /** Where an attempt begins, and what the tools had seen there. */
  from: Mark
  readonly seen: ReadonlyMap<string, string>
  /** What the user said meanwhile. */
  readonly heard: string[]
  /** The model writes the functions without seeing them. */
  isAnew: boolean
  /** What was found without asking; see doubts.ts. */
  mending: Mending | undefined
  /** Seconds of the run: when the series began, how long the first attempt took, and looking for what is there without asking. */
  readonly began: number
  first: number | undefined
  looked: number
}

/** `mark`: the conversation as it is when the task is given. */
export async function* afresh(
  turn: Turn,
  spending: Spending,
  task: string,
  mark: Mark,
): AsyncGenerator<AgentEvent, Attempted> {
  const series: Series = {
    ...{ turn, spending, task, tries: turn.tries ?? usual, made: [], here: undefined },
    ...{ from: mark, seen: new Map(turn.toolContext.seen), heard: [], isAnew: false, mending: undefined },
    ...{ began: spending.seconds, first: undefined, looked: 0 },
  }
  for (;;) {
    const over = yield* further(series)
    if (over !== undefined) return over
    if (isEnough(series)) return await chosen(series)
    yield* beginAgain(series)
  }
}

/** The next attempt, or several side by side. Undefined: none of them is the end. */
async function* further(series: Series): AsyncGenerator<AgentEvent, Attempted | undefined> {
  const { turn, spending, tries, made } = series
  const before = made.length
  // The first two are greedy and one after the other: the second often passes, and would be slower among others.
  const count = before < 2 ? 1 : Math.min(turn.info.together ?? 1, tries - before)
  const over = count > 1 ? yield* sideBySide(series, count) : undefined
  if (over !== undefined || made.length > before) return over
  // One alone, also where there was no room for forks.
  const began = spending.seconds
  const reply = yield* foreseen(series)
  series.looked += spending.seconds - began
  return yield* attempt(series, turnOf(series, before + 1), reply)
}

/** The turn of the attempt of this number, from 1. */
function turnOf({ turn, isAnew, made }: Series, number: number): Turn {
  // From the same words it would write the same again, and what was cut shows where greed leads.
  const isSampled = isAnew || made.at(-1)?.ending.exit === 'limit'
  return {
    ...turn,
    sampling: samplingOf(turn.sampling, isSampled ? number + 1 : number),
    unseen: isAnew,
    // Where the user wants several, no check may tell them apart.
    certainty: turn.tries === undefined ? undefined : new Certainty(),
  }
}

/** One attempt, with what its checks say. Undefined: it is not the end. `reply`: its first, where it is there already. */
async function* attempt(
  series: Series,
  on: Turn,
  reply: Reply | undefined,
): AsyncGenerator<AgentEvent, Attempted | undefined> {
  const { turn, spending, task, made, heard } = series
  const steering = (): readonly string[] => {
    const words = turn.steering()
    heard.push(...words)
    return words
  }
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
  series.here = { ending, climbed, held, putBack, key, certainty }
  made.push(series.here)
  const isEnd = passed(series.here) && (climbed?.decided || turn.tries === undefined)
  return isEnd ? { ending, checks: climbed?.reports ?? [] } : undefined
}

/** Attempts whose first replies are written at once; each is tried by itself as it ends, the first that passes ends the rest. */
async function* sideBySide(series: Series, count: number): AsyncGenerator<AgentEvent, Attempted | undefined> {
  const { turn, spending, made } = series
  const shared = turn.conversation.placed.length
  const turns = Array.from({ length: count }, (_, i) => turnOf(series, made.length + 1 + i))
  for await (const { turn: on, events, reply } of together(turns, spending)) {
    spending.steps += 1
    yield { type: 'step', step: spending.steps }
    yield* events
    const over = yield* attempt(series, on, reply)
    if (over !== undefined) {
      // It goes on from what was said on the fork.
      const said = on.conversation.placed.slice(shared).map(({ message }) => message)
      await turn.conversation.append(said)
      return over
    }
    series.here = undefined
    await turn.changes.put([])
    forget(series)
    if (halted(turn, spending) !== undefined) return undefined
  }
  return undefined
}

/** What is there without asking: before the first attempt, or where that gave the files back as they are. */
async function* foreseen(series: Series): AsyncGenerator<AgentEvent, Reply | undefined> {
  const { turn, spending, task, made } = series
  const isFirst = made.length === 0
  if (isFirst && (yield* beginsAnew(series))) return undefined
  if (isFirst) series.mending = yield* mendByDoubt(turn, spending, task)
  const { mending } = series
  if (mending === undefined || (isFirst ? !mending.sure : !hasSpare(series))) return undefined
  return await asReply(turn, spending, mending)
}

/** Something was found that is worth trying only because the first attempt gave the files back as they are. */
const hasSpare = ({ mending, made }: Series): boolean =>
  mending?.sure === false && made.length === 1 && made[0]?.held.length === 0

/** Whether there is no point in one more. */
function isEnough(series: Series): boolean {
  const { turn, spending, tries, made, began, looked } = series
  // What looking took has its own bound, and read the task for the attempts.
  const spent = spending.seconds - began - looked
  series.first ??= spent
  const bound = Math.min(patience.most, Math.max(patience.least, patience.first * series.first))
  const isLate = turn.tries === undefined && !hasSpare(series) && spent + spent / made.length > bound
  return made.length >= tries || isLate || halted(turn, spending) !== undefined || settled(made, tries)
}

/** Files and context go back, and the model is told what was wrong with the last attempt. */
async function* beginAgain(series: Series): AsyncGenerator<AgentEvent, void> {
  const { turn, spending, task, tries, made, heard } = series
  const last = made.at(-1)!
  const failed = await whatFailed(turn, spending, task, last)
  const why = failed ?? (passed(last) ? 'no check can tell whether it is right' : last.ending.text.replace(/\.$/, ''))
  yield { type: 'notice', level: 'info', text: `Attempt ${made.length} of at most ${tries}: ${why}. Trying again.` }
  await goBack(series)
  await turn.changes.put([])
  const isCopy = last.held.length === 0 && last.putBack === undefined && last.ending.exit === 'not-done'
  const isBegun = failed !== undefined && (await beginAnew(series, failed))
  const told = isBegun ? undefined : isCopy ? copied(failed) : failed && hint(failed)
  const words = [...(told === undefined ? [] : [told]), ...heard]
  await turn.conversation.append(words.map((text) => ({ role: 'user', text })))
}

/** The model does not see what is wrong with what it wrote itself, and writes it again: it is not shown it, then. */
async function* beginsAnew(series: Series): AsyncGenerator<AgentEvent, boolean> {
  const { turn, spending, task } = series
  const failed = await failedOwnWork(turn, spending, task)
  if (failed === undefined || !(await beginAnew(series, failureText(failed)))) return false
  const text = `What stands was written by the model itself, and is wrong (${failed.name}): it is asked to write it anew, without being shown it.`
  yield { type: 'notice', level: 'info', text }
  return true
}

/** Lets the model write the functions without seeing them, where they do what they should not: nothing else is to be another. */
async function beginAnew(series: Series, failed: string): Promise<boolean> {
  const { turn, task, isAnew } = series
  if (isAnew || turn.anew === undefined || !asksToMend(task) || !/^(?:examples|check|tests): /.test(failed))
    return false
  if (!(await turn.anew(rewrite(failed)))) return false
  series.from = (await turn.conversation.mark()) ?? series.from
  series.isAnew = true
  return true
}

/** Puts the attempt in place that is to stay. */
async function chosen(series: Series): Promise<Attempted> {
  const { turn, spending, task, made, here } = series
  const { attempt: best, ending, checks } = await choose(turn, spending, task, made)
  if (here === undefined || best !== here) {
    await goBack(series)
    await turn.changes.put(best?.held ?? [])
  }
  return { ending, checks }
}

async function goBack(series: Series): Promise<void> {
  await series.turn.conversation.rewind(series.from)
  forget(series)
}

/** What the tools have seen is what they had seen before the attempt. */
function forget({ turn: { toolContext }, seen }: Series): void {
  toolContext.seen?.clear()
  for (const [path, fingerprint] of seen) toolContext.seen?.set(path, fingerprint)
}

const passed = ({ climbed }: Attempt): boolean => climbed !== undefined && climbed.failed === undefined
