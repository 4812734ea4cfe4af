/**
 * A fault in a file that stands: looked for where the model would have written it otherwise, before it is asked to write
 * the file again. A small model gives back a file with its fault; read as if it were its own words, the faulty place is
 * often the one that surprises it most (engine/session/doubts.ts). Each such place is changed as the model would have it,
 * one at a time, until the check that fails now passes.
 *
 * Where no check can tell, the likeliest is taken: of a task that says what is wanted only when the model holds it for likelier
 * than everything else, what it was shown included, or where the model, asked to write the file, gives it back as it is.
 */
import { createHash } from 'node:crypto'
import { addUsage, type Doubt, noUsage, type Usage } from '../engine/index.ts'
import { onTrial } from '../tools/index.ts'
import type { Difference } from './changes.ts'
import type { Climb } from './checks/ladder.ts'
import { checkAttempt, checkOriginal, checkUnwritten } from './checks/turn.ts'
import { codeLines } from './context/code-lines.ts'
import { codeOf, type Doubtful, filesToDoubt, isShown } from './doubtful.ts'
import type { AgentEvent, CheckReport } from './events.ts'
import type { Spending } from './turn/limits.ts'
import { faultsOf } from './turn/readable.ts'
import type { Reply } from './turn/reply.ts'
import { halted } from './turn/rounds.ts'
import type { Turn } from './turn/turn.ts'
import { asksToMend } from './turn/wishes.ts'

/** Texts tried, over all files; each has its part of them. */
const mostTried = 24
/** Seconds after which no further text is tried, where none has passed: so many times what reading took, but at least this. */
const patience = { reading: 3, least: 30 }
/** Where nothing else decides, so many are weighed by what they make of the rest of the file. */
const mostWeighed = 6
/**
 * What is less likely is not tried: each costs the rest of a line and a check. What was right had 0.09 to 0.75 in QuixBugs, and was
 * among the first eight for 22 of 24 mutants.
 */
const worthTrying = Math.log(0.003)
/** The model holds it for likelier than everything else together, what it was shown included. */
const likelier = Math.log(0.5)
/** What is left to take where the task says no more than that something is wrong. */
const likely = Math.log(0.05)

/** A file as it may have to be. */
export interface Mending {
  readonly path: string
  readonly content: string
  readonly line: number
  /** False: nothing speaks for it but that the model would write it so. */
  readonly sure: boolean
}

/** Undefined where nothing was found. The files are as they were, and nothing is in the conversation. */
export async function* mendByDoubt(
  turn: Turn,
  spending: Spending,
  task: string,
): AsyncGenerator<AgentEvent, Mending | undefined> {
  if (!turn.conversation.canDoubt || turn.tries === 1 || !asksToMend(task)) return undefined
  const files = await filesToDoubt(turn, task)
  if (files.length === 0) return undefined
  const failed = (await checkOriginal(turn, spending, task, []))?.failed
  if (halted(turn, spending) !== undefined) return undefined
  if (failed === undefined && (files.length > 1 || speaksOfSeveral(task))) return undefined
  // What parses or compiles again is right for a check of that; what passes a check of what it does is.
  const least = tellsHow(task) ? likelier : likely
  const decides = failed !== undefined && !/^(?:syntax|types|lint)$/.test(failed.name)
  spending.steps += 1
  yield { type: 'step', step: spending.steps }
  const names = files.map(({ path }) => path).join(', ')
  yield { type: 'notice', level: 'info', text: `Looking in ${names} for what the model would have written otherwise.` }
  const search = newSearch(turn, spending, failed && sceneOf(failed, files))
  let found: Mending | undefined
  try {
    for (const [index, file] of files.entries()) {
      const { path, bytes } = file
      const most = search.tried + Math.ceil((mostTried - search.tried) / (files.length - index))
      for await (const doubt of search.doubts(file, most)) {
        const tried = { path, before: bytes, after: Buffer.from(doubt.content) }
        const climbed = await checked(turn, spending, task, tried, failed?.name)
        if (climbed === undefined || climbed.failed !== undefined || (decides && !climbed.decided)) continue
        found = { ...doubt, path, sure: failed !== undefined || doubt.logprob >= least }
        break
      }
      if (found !== undefined) break
    }
  } catch (error) {
    // No room in the context or for a fork, an engine that died, a file that cannot be written: the model can still be asked.
    const why = error instanceof Error ? error.message : String(error)
    yield { type: 'notice', level: 'warning', text: `The search ended early: ${why}` }
  }
  if (search.spent !== undefined) yield { type: 'usage', usage: search.spent }
  const check = failed === undefined ? 'nothing checks them' : failed.name
  const told = found?.sure === true ? `line ${found.line} of ${found.path} becomes another` : 'none is taken'
  yield { type: 'notice', level: 'info', text: `${search.tried} tried (${check}): ${told}.` }
  return found
}

/**
 * Where commands cannot be shown what is not there, the file is written for as long as they look at it. `failing`: the check that
 * has to pass, which alone tells most of what is no good.
 */
async function checked(
  turn: Turn,
  spending: Spending,
  task: string,
  file: Tried,
  failing: string | undefined,
): Promise<Climb | undefined> {
  const trial = { path: file.path, now: file.before, tried: file.after }
  const look = async (only?: string) =>
    isShown(turn)
      ? await checkUnwritten(turn, spending, task, file, only)
      : await onTrial(turn.toolContext, trial, () => checkAttempt(turn, spending, task, { hurried: true, only }))
  if (failing !== undefined) {
    const first = await look(failing)
    if (first === undefined || first.failed !== undefined) return first
  }
  return await look()
}

/** A task that says what is wanted is for the model to do; a line that surprised it may have nothing to do with that. */
const tellsHow = (task: string): boolean =>
  /```|\b(?:should|must|instead|when|whenever|if|unless|because|since|expect\w*|returns?|so that|add|make|handle|missing|traceback|raise[sd]?|throws?|print\w*|shows?)\b/i.test(
    task,
  )

/** One other line is no answer to more than one fault. */
const speaksOfSeveral = (task: string): boolean =>
  task.length > 400 ||
  /\b(?:all|every(?:where)?|each|both|several|many|two|three|bugs|errors|mistakes|typos|faults|places|files)\b/i.test(
    task,
  )

/** What decides, and what it decides of. Numbers in what a check says may be times. */
const sceneOf = ({ name, detail }: CheckReport, files: readonly Doubtful[]): readonly string[] => [
  ...[name, detail.replace(/\d+/g, '')],
  ...files.flatMap(({ path, content }) => [path, content]),
]

/**
 * Doubts within what a search may cost. `failing`: the scene, where a check decides; what did not pass there in an earlier task is
 * not tried again, so that another search of the same files looks at what is less likely.
 */
function newSearch(turn: Turn, spending: Spending, failing: readonly string[] | undefined) {
  const weighed = failing === undefined ? mostWeighed : 0
  const tried = failing && turn.tried
  const scene = createHash('sha256').update(JSON.stringify(failing ?? {}))
  const keyOf = (path: string, content: string): string =>
    scene
      .copy()
      .update(JSON.stringify([path, content]))
      .digest('base64')
  const signal = AbortSignal.any([turn.signal, spending.overdue])
  const { code } = turn.toolContext
  let seconds = 0
  let most = patience.least
  const search = {
    tried: 0,
    spent: undefined as Usage | undefined,
    async *doubts(file: Doubtful, mostHere: number): AsyncGenerator<Doubt, void> {
      const { path, content } = file
      const spent = (usage: Usage) => {
        spending.add(usage)
        search.spent = addUsage(search.spent ?? noUsage, usage)
      }
      const began = spending.seconds
      let since: number | undefined
      const options = { weighed, least: worthTrying, signal, spent }
      for await (const doubt of ahead(doubtsWithin(turn, file, options))) {
        // The first comes after the reading, which is not given up for being slow.
        if (since === undefined) most = Math.max(most, patience.reading * (spending.seconds - began))
        else seconds += spending.seconds - since
        if (seconds > most || halted(turn, spending) !== undefined) return
        since = spending.seconds
        const key = keyOf(path, doubt.content)
        if (tried?.has(key) === true) continue
        tried?.add(key)
        // What nobody could read, or what says something else in a remark only, is no text to run.
        if (codeOf(path, doubt.content) === codeOf(path, content)) continue
        if (code && (await faultsOf({ path, before: content, after: doubt.content }, code)).length > 0) continue
        search.tried += 1
        yield doubt
        if (search.tried >= mostHere) return
      }
    },
  }
  return search
}

/** Doubts of the part that is read, as they are in the whole file. */
async function* doubtsWithin(
  turn: Turn,
  { path, content, named, from, to }: Doubtful,
  options: Omit<Parameters<Turn['conversation']['doubts']>[0], 'path' | 'content' | 'lines' | 'first'>,
): AsyncGenerator<Doubt, void> {
  const all = content.split('\n')
  const here = (numbers: ReadonlySet<number>): ReadonlySet<number> =>
    new Set([...numbers].flatMap((line) => (line >= from && line <= to ? [line - from + 1] : [])))
  const read = all.slice(from - 1, to).join('\n')
  const places = { path, content: read, lines: here(codeLines(path, content)), first: here(named) }
  for await (const doubt of turn.conversation.doubts({ ...places, ...options })) {
    const whole = [...all.slice(0, from - 1), doubt.content, ...all.slice(to)].join('\n')
    yield { ...doubt, content: whole, line: doubt.line + from - 1 }
  }
}

/** The next is on its way while one is looked at: the model works, then, and a command waits for a process to begin. */
async function* ahead(doubts: AsyncIterable<Doubt>): AsyncGenerator<Doubt, void> {
  const source = doubts[Symbol.asyncIterator]()
  try {
    let coming = source.next()
    for (;;) {
      const { done, value } = await coming
      if (done === true) return
      coming = source.next()
      // It is told where it is waited for; whoever leaves before has no need of it.
      coming.catch(() => undefined)
      yield value
    }
  } finally {
    await source.return?.()
  }
}

interface Tried extends Difference {
  readonly before: Buffer
  readonly after: Buffer
}

/**
 * The reply that the model would have given, had it seen what it would see: a call that writes the mended file. It is in the
 * conversation then, and nothing has been run.
 */
export async function asReply(turn: Turn, spending: Spending, { path, content }: Mending): Promise<Reply> {
  const calls = [{ id: `doubt_${spending.steps}`, name: 'write', arguments: { path, content } }]
  const message = { role: 'assistant', reasoning: '', text: '', calls } as const
  await turn.conversation.append([message])
  return { kind: 'whole', message, stop: 'end', problems: [], cutCall: undefined }
}
