/**
 * Whether a run goes on and, when it ends, what it may call itself. The rules, in order, after each reply and its calls:
 *
 * 1. *Circle.* The same call three times in a row, or two calls taking turns, is told to the model once instead of being
 *    run; the next circle ends the run: not done.
 * 2. *Unreadable.* A reply none of whose calls could be read (malformed text, unknown tool, bad arguments) is answered
 *    with what was wrong; the third in a row ends the run: not done.
 * 3. *Question.* When calls were not run because the task only asks something (see guard.ts), the reply is the answer:
 *    done. *Loss.* A model that `finishes` by edits and writes a second time what would lose parts of a file is not done.
 * 4. *Edits.* For a model that `finishes` by edits: when the reply came to its own end and all its calls changed files
 *    (one that found its text in place already is let pass beside one that changed something), and nothing is left
 *    failed, the run is done without another request; not done where a change was asked for and no file differs (what
 *    was written anew is what stood there).
 * 5. *Calls.* Any other reply with calls goes on with their results. But when all of them found nothing to change, in a
 *    run that has changed nothing, the model is told once; the next such reply ends the run: not done. One that `finishes`
 *    by edits is not told: it was seen to delete the file and write it once more, so its attempt ends.
 * 6. *Cut.* A reply without calls that was cut by its length is told to go on; the second in a row ends the run: limit. One
 *    that `finishes` by edits would write as much once more: the first ends its attempt.
 * 7. *Words.* A reply without calls ends the run. It is done unless one of these is so; then the model is told once, and
 *    when it answers with words again the run is not done:
 *    - the reply is empty;
 *    - something is left failed: a change that failed and was not followed by a successful change of the same file, or
 *      an unreadable call that was not followed by one that worked. A change that found nothing to change counts only
 *      while the run has changed nothing at all;
 *    - the task names a file, asks for a change in so many words (see wishes.ts), and no file differs.
 *    What a person said no to is no failure: the model is not sent back to try it again; where something is missing then, the
 *    run ends with `denied`.
 *    When a command was refused for want of a sandbox and no change succeeded after it, the run ends with `sandbox`; when a
 *    call was refused by a rule, or because nobody was there to ask, and no change succeeded after it, with `denied`.
 *
 * So `done` is never the model's claim alone: whatever it tried last has worked, and a change that was asked for is there.
 */
import type { ModelInfo } from '../../engine/index.ts'
import type { ExitReason } from '../events.ts'
import type { CallOutcome } from './calls.ts'
import type { Reply } from './reply.ts'

/** How a run ends; `text` is for a person. */
export interface Ending {
  readonly exit: ExitReason
  readonly text: string
}

/** `say`: words of ours that the model gets, after any results. */
export type Next =
  | { readonly kind: 'on'; readonly say: readonly string[] }
  | { readonly kind: 'end'; readonly ending: Ending }

/** What the rules remember from reply to reply. Made anew for each run. */
export interface Standing {
  /** Path → why the last change of it failed. */
  readonly failed: Map<string, string>
  /** Why the last call could not be read; undefined when a later one worked. */
  unreadable: string | undefined
  /** Changes that found nothing to change. */
  readonly idle: Set<string>
  changed: boolean
  /** Why commands cannot run, when one was wanted and no change has succeeded since. */
  sandbox: string | undefined
  /** Why a call was refused without a person, when no change has succeeded since. */
  denied: string | undefined
  /** What a person said to a call that they refused; the last one. */
  refused: string | undefined
  unreadableInARow: number
  cutInARow: number
  /** Replies that held a file from which parts would be lost. */
  losing: number
  /** The model has been told why its words are not the end, and nothing has worked since. */
  nudged: boolean
}

export function newStanding(): Standing {
  return {
    failed: new Map(),
    unreadable: undefined,
    idle: new Set(),
    changed: false,
    sandbox: undefined,
    denied: undefined,
    refused: undefined,
    unreadableInARow: 0,
    cutInARow: 0,
    losing: 0,
    nudged: false,
  }
}

const unreadableLimit = 3
const cutText = 'The reply was cut at its length limit before it changed anything.'

/** Takes notice of what the calls did. */
function note(standing: Standing, reply: Extract<Reply, { kind: 'whole' }>, outcomes: readonly CallOutcome[]): void {
  for (const { call, effects, result, why } of outcomes) {
    const writes = effects.flatMap((effect) => (effect.kind === 'write' ? [effect.path] : []))
    if (result.ok) {
      standing.unreadable = undefined
      standing.nudged = false
      if (writes.length === 0) continue
      standing.changed = true
      standing.sandbox = undefined
      standing.denied = undefined
      for (const path of writes) standing.failed.delete(path)
    } else if (why === 'only-asked') continue
    else if (why === 'forbidden') standing.denied = result.content
    else if (why === 'denied') standing.refused = result.content
    else if (why === 'no-sandbox' || reasonOf(result) === 'sandbox') standing.sandbox = result.content
    else if (why === 'unreadable' || why === 'cut') standing.unreadable = `${call.name}: ${result.content}`
    else if (reasonOf(result) === 'no-change') for (const path of writes) standing.idle.add(path)
    else for (const path of writes) standing.failed.set(path, result.content)
  }
  if (outcomes.some(({ why }) => why === 'would-lose')) standing.losing += 1
  for (const problem of reply.problems) standing.unreadable = problem

  const unreadable = outcomes.filter(({ why }) => why === 'unreadable').length + reply.problems.length
  const allUnreadable = unreadable > 0 && outcomes.every(({ why }) => why === 'unreadable')
  standing.unreadableInARow = allUnreadable ? standing.unreadableInARow + 1 : 0
  standing.cutInARow = reply.stop === 'length' && outcomes.length === 0 ? standing.cutInARow + 1 : 0
}

const reasonOf = ({ details }: CallOutcome['result']) => (details.kind === 'failure' ? details.reason : undefined)

/**
 * Judges a reply after its calls have run. `wantsChange`: rule 7 asks for a changed file; `differs` tells whether any
 * file differs from what it was when the run began, looked at only when the rules need it.
 */
export async function judge(
  standing: Standing,
  info: ModelInfo,
  reply: Extract<Reply, { kind: 'whole' }>,
  outcomes: readonly CallOutcome[],
  { wantsChange, differs }: { readonly wantsChange: boolean; readonly differs: () => Promise<boolean> },
): Promise<Next> {
  note(standing, reply, outcomes)
  const words = reply.message.text.trim()
  const isEdits = info.finishes === 'edits'
  const told = reply.problems.map((problem) => `That could not be read as a call: ${problem}`)

  if (outcomes.some(({ why }) => why === 'circle-again')) {
    return end('not-done', 'The model repeated the same calls after it was told that they lead nowhere.')
  }
  if (standing.unreadableInARow >= unreadableLimit) {
    return end(
      'not-done',
      `The model wrote ${unreadableLimit} unreadable calls in a row. The last: ${standing.unreadable}`,
    )
  }
  if (outcomes.some(({ why }) => why === 'only-asked')) return end('done', reply.message.raw?.trim() ?? words)
  if (isEdits && standing.losing >= 2) return end('not-done', notDone(leftFailed(standing)!, words))
  if (outcomes.length > 0 || told.length > 0) {
    const finished = isEdits && reply.stop === 'end' && told.length === 0 && onlyChanges(outcomes)
    if (finished && leftFailed(standing) === undefined) {
      if (!wantsChange || (await differs())) return end('done', words)
      return end('not-done', notDone('unchanged', words))
    }
    if (outcomes.length === 0 && isEdits && reply.stop === 'length') return end('limit', cutText)
    if (outcomes.length > 0 && !standing.changed && outcomes.every(({ result }) => reasonOf(result) === 'no-change')) {
      if (standing.nudged || isEdits) return end('not-done', notDone(leftFailed(standing) ?? 'unchanged', words))
      standing.nudged = true
      return { kind: 'on', say: [...told, nudge('same')] }
    }
    return { kind: 'on', say: told }
  }
  if (reply.stop === 'length') {
    if (isEdits) return end('limit', cutText)
    if (standing.cutInARow >= 2) return end('limit', 'Two replies in a row were cut at the length limit.')
    return { kind: 'on', say: ['Your reply was cut off at its length limit. Go on, in smaller parts.'] }
  }

  const failed = leftFailed(standing)
  const missing = failed ?? (words === '' ? 'empty' : wantsChange && !(await differs()) ? 'unchanged' : undefined)
  if (standing.sandbox !== undefined) {
    return end('sandbox', notDone(standing.sandbox, words))
  }
  if (standing.denied !== undefined) {
    return end('denied', notDone(standing.denied, words))
  }
  if (missing === undefined) return end('done', words)
  if (failed === undefined && standing.refused !== undefined) {
    return end('denied', notDone(standing.refused, words))
  }
  if (standing.nudged) return end('not-done', notDone(missing, words))
  standing.nudged = true
  return { kind: 'on', say: [nudge(missing)] }
}

function end(exit: ExitReason, text: string): Next {
  return { kind: 'end', ending: { exit, text } }
}

/** Every call a change, at least one of them made. */
function onlyChanges(outcomes: readonly CallOutcome[]): boolean {
  return (
    outcomes.some(({ result }) => result.ok) &&
    outcomes.every(
      ({ effects, result }) =>
        effects.length > 0 &&
        effects.every(({ kind }) => kind === 'write') &&
        (result.ok || reasonOf(result) === 'no-change'),
    )
  )
}

/** What was tried last and has not worked; undefined when there is nothing of the kind. */
function leftFailed({ failed, unreadable, idle, changed }: Standing): string | undefined {
  const [first] = failed
  if (first !== undefined) return `The change of ${first[0]} failed: ${first[1]}`
  if (unreadable !== undefined) return `A call could not be read: ${unreadable}`
  const [unchanged] = idle
  if (unchanged !== undefined && !changed) return `${unchanged} was not changed: the new text equals the old.`
  return undefined
}

function nudge(missing: string): string {
  if (missing === 'empty') return 'Your reply was empty. Do the task, or say in one sentence why it cannot be done.'
  if (missing === 'unchanged') return 'No file has changed yet. Make the change that was asked for.'
  if (missing === 'same') {
    return 'Nothing has changed: what you wrote equals what was there. Find what has to differ and write it so.'
  }
  return `The task is not done. ${missing}`
}

function notDone(missing: string, words: string): string {
  if (missing === 'empty') return 'The model ended with an empty reply.'
  const why = missing === 'unchanged' ? 'The model ended in words and changed no file.' : missing
  return words === '' ? why : `${why}\n\nThe model said: ${words}`
}
