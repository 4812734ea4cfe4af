/**
 * Attempts at a task, and which of them stays.
 *
 * An attempt that the model ends as done climbs the ladder of checks (checks/ladder.ts) on the files as they are. What fails
 * there is tried again. A small model gets a fresh attempt: files and context go back to where the task was given, so that it
 * is not poisoned by its own errors, and the new request shows in a few lines what failed; the second attempt is as greedy as
 * the first, later ones are sampled. Where the model cannot go back, or is large enough to mend its own work, it is told what
 * failed and goes on. When no attempt passes, the one that came farthest stays, unless the files as they were come farther
 * still; the run is then not done.
 *
 * Where no check looks at what the code does, the first attempt stays; only when the user asked for several (`--tries`) are
 * they compared, and the most frequent is taken, the greedy one among equals.
 */
import type { Sampling } from '../engine/index.ts'
import type { Difference } from './changes.ts'
import type { Climb } from './checks/ladder.ts'
import { checkAttempt, checkOriginal } from './checks/turn.ts'
import type { Mark } from './conversation.ts'
import type { AgentEvent, CheckReport } from './events.ts'
import type { Spending } from './turn/limits.ts'
import type { Ending } from './turn/outcome.ts'
import { halted, rounds } from './turn/rounds.ts'
import type { Turn } from './turn/turn.ts'

export interface Attempted {
  readonly ending: Ending
  readonly checks: readonly CheckReport[]
}

/** Attempts where the user does not say how many. */
const usual = { small: 4, full: 3 } as const
/**
 * Seconds of a run within which a further attempt has to be expected to end, where the user does not say how many: so many
 * times the first one, but at least and at most this. A task that the model cannot do should not cost much more than one it can.
 */
const patience = { first: 5, least: 20, most: 180 } as const

export async function* attempts(turn: Turn, spending: Spending, task: string): AsyncGenerator<AgentEvent, Attempted> {
  const mark = turn.info.prompt === 'small' ? await turn.conversation.mark() : undefined
  return mark === undefined ? yield* mended(turn, spending, task) : yield* afresh(turn, spending, task, mark)
}

/** The model hears what failed and goes on from there. */
async function* mended(turn: Turn, spending: Spending, task: string): AsyncGenerator<AgentEvent, Attempted> {
  const tries = turn.tries ?? usual.full
  for (let attempt = 1; ; attempt++) {
    const ending = yield* rounds(turn, spending, task)
    if (ending.exit !== 'done') return { ending, checks: [] }
    const climbed = await checkAttempt(turn, spending, task)
    if (climbed === undefined) return { ending: halted(turn, spending) ?? ending, checks: [] }
    if (climbed.failed === undefined) return { ending, checks: climbed.reports }
    const failed = failureText(climbed.failed)
    if (attempt >= tries) return { ending: notDone([failed], attempt), checks: climbed.reports }
    const stop = halted(turn, spending)
    if (stop !== undefined) return { ending: stop, checks: climbed.reports }
    yield { type: 'notice', level: 'warning', text: `A check failed: ${failed}` }
    await turn.conversation.append([{ role: 'user', text: `A check of your change failed.\n${failed}\nMend it.` }])
  }
}

/** One attempt with all that is needed to come back to it. */
interface Attempt {
  readonly ending: Ending
  /** Undefined where it changed nothing that could be checked. */
  readonly climbed: Climb | undefined
  readonly held: readonly Difference[]
  /** Equal for attempts that came to the same text. */
  readonly key: string
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
  const back = async (): Promise<void> => {
    await turn.conversation.rewind(mark)
    turn.toolContext.seen?.clear()
    for (const [path, fingerprint] of seen) turn.toolContext.seen?.set(path, fingerprint)
  }
  const made: Attempt[] = []
  const before = spending.seconds
  let first: number | undefined

  for (;;) {
    const number = made.length + 1
    const sampling = samplingOf(turn.sampling, number)
    const ending = yield* rounds({ ...turn, sampling, steering }, spending, task)
    const stopped = await stoppedBy(turn, spending, ending)
    if (stopped !== undefined) {
      const best = farthest(made)
      // What a broken-off attempt leaves is worth less than a whole one.
      if (best !== undefined && best.held.length > 0) await turn.changes.put(best.held)
      return { ending: stopped, checks: best?.climbed?.reports ?? [] }
    }
    const held = await turn.changes.differences()
    const key = keyOf(held)
    const climbed =
      ending.exit === 'done'
        ? (made.find((other) => other.key === key && other.climbed !== undefined)?.climbed ??
          (await checkAttempt(turn, spending, task)))
        : undefined
    if (ending.exit === 'done' && climbed === undefined) {
      return { ending: halted(turn, spending) ?? ending, checks: [] }
    }
    made.push({ ending, climbed, held, key })
    const passed = climbed !== undefined && climbed.failed === undefined
    if (passed && (climbed.decided || turn.tries === undefined)) return { ending, checks: climbed.reports }
    const spent = spending.seconds - before
    first ??= spent
    const late = turn.tries === undefined && spent + spent / made.length > patienceAfter(first)
    if (made.length >= tries || late || halted(turn, spending) !== undefined || settled(made, tries)) break

    const failed = await whatFailed(turn, spending, task, ending, climbed)
    const why = failed ?? (passed ? 'no check can tell whether it is right' : ending.text)
    yield { type: 'notice', level: 'info', text: `Attempt ${number} of at most ${tries}: ${why}. Trying again.` }
    await back()
    await turn.changes.put([])
    const words = [...(failed === undefined ? [] : [hint(failed)]), ...heard]
    await turn.conversation.append(words.map((text) => ({ role: 'user', text })))
  }

  const chosen = await choose(turn, spending, task, made)
  if (chosen.attempt !== made.at(-1)) {
    await back()
    await turn.changes.put(chosen.attempt?.held ?? [])
  }
  return { ending: chosen.ending, checks: chosen.checks }
}

/** The end of a run that no further attempt can help; undefined when one may. */
async function stoppedBy(turn: Turn, spending: Spending, ending: Ending): Promise<Ending | undefined> {
  const halt = ending.exit === 'done' ? undefined : halted(turn, spending)
  if (halt !== undefined) return halt
  return ending.exit === 'done' || ending.exit === 'not-done' || ending.exit === 'limit' ? undefined : ending
}

const patienceAfter = (first: number): number =>
  Math.min(patience.most, Math.max(patience.least, patience.first * first))

/** Greedy twice, for the second request differs; then warmer, each with its own seed. */
function samplingOf(own: Partial<Sampling> | undefined, attempt: number): Partial<Sampling> | undefined {
  if (attempt === 1) return own
  const seed = ((own?.seed ?? 0) + attempt) >>> 0
  if (attempt === 2) return { ...own, seed }
  return { ...own, seed, temperature: Math.max(0.7, own?.temperature ?? 0), topP: 0.95, topK: 40, minP: 0.05 }
}

const failureText = ({ name, detail }: CheckReport): string => `${name}: ${detail}`

/** What the next request shows; undefined when nothing is known that would help. */
async function whatFailed(
  turn: Turn,
  spending: Spending,
  task: string,
  ending: Ending,
  climbed: Climb | undefined,
): Promise<string | undefined> {
  if (climbed !== undefined) return climbed.failed === undefined ? undefined : failureText(climbed.failed)
  // Nothing was changed: what fails as it is says what there is to do.
  const asWas = await checkOriginal(turn, spending, task, await turn.changes.differences())
  if (asWas?.failed !== undefined) return `it kept the code that was there, and with that ${failureText(asWas.failed)}`
  return ending.exit === 'limit' ? 'the answer was too long' : undefined
}

const hint = (failed: string): string => `An earlier answer to this was wrong: ${failed}\nAvoid that mistake.`

/** Blank lines and the ends of lines do not tell attempts apart. */
function keyOf(held: readonly Difference[]): string {
  const plain = (bytes: Buffer | null | undefined) =>
    bytes
      ?.toString('latin1')
      .replace(/\s*\n\s*\n/g, '\n')
      .trimEnd()
  return JSON.stringify(held.map(({ path, after }) => [path, plain(after)]))
}

/** Attempts that nothing speaks against, but that nothing proves either. */
const possible = (made: readonly Attempt[]) => made.filter(({ climbed }) => climbed?.failed === undefined && climbed)

const agreeing = (made: readonly Attempt[], { key }: Attempt): number =>
  made.filter((other) => other.key === key).length

/** More than half of all attempts that will be made agree already. */
function settled(made: readonly Attempt[], tries: number): boolean {
  return possible(made).some((attempt) => agreeing(made, attempt) > tries / 2)
}

/** The attempt that came farthest; the first of equals, which is the greediest. */
function farthest(made: readonly Attempt[]): Attempt | undefined {
  const height = ({ climbed }: Attempt): number => climbed?.height ?? -1
  return made.reduce<Attempt | undefined>(
    (best, attempt) => (best === undefined || height(attempt) > height(best) ? attempt : best),
    undefined,
  )
}

async function choose(
  turn: Turn,
  spending: Spending,
  task: string,
  made: readonly Attempt[],
): Promise<Attempted & { readonly attempt: Attempt | undefined }> {
  const open = possible(made)
  if (open.length > 0) {
    const attempt = open.reduce((best, each) => (agreeing(open, each) > agreeing(open, best) ? each : best))
    const count = agreeing(open, attempt)
    const detail = `${count} of ${made.length} attempts came to this text`
    const agreement: CheckReport = { name: 'agreement', passed: count > 1 ? true : null, detail }
    return { attempt, ending: attempt.ending, checks: [...(attempt.climbed?.reports ?? []), agreement] }
  }
  const best = farthest(made)!
  if (best.climbed === undefined) return { attempt: best, ending: best.ending, checks: [] }
  const failed = best.climbed.failed === undefined ? [] : [failureText(best.climbed.failed)]
  const before = await checkOriginal(turn, spending, task, best.held)
  if (before !== undefined && before.height > best.climbed.height) {
    const text = 'Every attempt came less far than the files as they were, so these are back.'
    return { attempt: undefined, ending: notDone([...failed, text], made.length), checks: before.reports }
  }
  return { attempt: best, ending: notDone(failed, made.length), checks: best.climbed.reports }
}

function notDone(why: readonly string[], count: number): Ending {
  const tried = count === 1 ? 'The change does not pass its checks.' : `No attempt of ${count} passed the checks.`
  return { exit: 'not-done', text: [tried, ...why].join('\n') }
}
