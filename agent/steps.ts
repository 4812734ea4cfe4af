/**
 * One change in many files, by a model that sees one of them at a time: each begins where the conversation was, so that it has
 * in front of it only what it needs. What is done in the files is one change: all of it stays, or none.
 */
import { checkAttempt } from './checks/turn.ts'
import { type Attempted, choose, keyOf } from './choice.ts'
import { type Steps, stepPlan, timesIn } from './context/steps.ts'
import type { Conversation } from './conversation.ts'
import type { AgentEvent } from './events.ts'
import { listFiles } from './files.ts'
import type { Memory } from './memory.ts'
import type { ResolvedOptions } from './options.ts'
import type { Spending } from './turn/limits.ts'
import type { Ending } from './turn/outcome.ts'
import { halted, rounds, stoppedBy } from './turn/rounds.ts'
import { samplingOf } from './turn/sampling.ts'
import type { Turn } from './turn/turn.ts'

/** The steps of a task for a small model; undefined for a task that is done at once. */
export async function planned(
  { model, workspace }: ResolvedOptions,
  memory: Memory,
  conversation: Conversation,
  task: string,
): Promise<Steps | undefined> {
  if (model.info.prompt !== 'small') return undefined
  const plan = await stepPlan(task, () => listFiles(workspace.root), workspace)
  if (plan === undefined) return undefined
  return {
    ...plan,
    left: (path) => timesIn(plan.word, path, workspace),
    async begin(path) {
      const words = `${task}\n\nNow do it in ${path} alone; other files have their own turn.`
      await memory.beginStep(conversation, words, path)
      return memory.replyTokens
    },
  }
}

/** Replies in a row that leave as much as there was, after which a file is given up. */
const patience = 2

export async function* inSteps(
  turn: Turn,
  spending: Spending,
  task: string,
  steps: Steps,
): AsyncGenerator<AgentEvent, Attempted> {
  const { word, files, unread } = steps
  const mark = await turn.conversation.mark()
  const plan =
    files.length === 1 ? `in ${files[0]}` : `in ${files.length} files, done one at a time: ${files.join(', ')}`
  yield { type: 'notice', level: 'info', text: `${word} stands ${plan}.` }

  /** Undefined when the word is gone from the file. */
  async function* oneFile(path: string): AsyncGenerator<AgentEvent, Ending | undefined> {
    let left = await steps.left(path)
    for (let stale = 0; left > 0; ) {
      if (mark !== undefined) await turn.conversation.rewind(mark)
      const replyTokens = await steps.begin(path)
      // The same request again: a greedy answer would be the same.
      const sampling = samplingOf(turn.sampling, stale === 0 ? 1 : stale + 2)
      const ending = yield* rounds({ ...turn, replyTokens, sampling }, spending, task)
      const stopped = stoppedBy(turn, spending, ending)
      if (stopped !== undefined) return stopped
      const now = await steps.left(path)
      stale = now < left ? 0 : stale + 1
      left = now
      if (stale === patience) return { exit: 'not-done', text: `${word} still stands in ${path}.` }
    }
    return undefined
  }

  let whole = false
  try {
    for (const [at, path] of files.entries()) {
      if (files.length > 1) {
        yield { type: 'notice', level: 'info', text: `Step ${at + 1} of ${files.length}: ${path}` }
      }
      const ending = yield* oneFile(path)
      if (ending !== undefined) {
        return { ending: { ...ending, text: `${ending.text} No file was changed.`.trim() }, checks: [] }
      }
    }
    whole = true
  } finally {
    // Also where the engine died, or nobody listens any more.
    if (!whole) await turn.changes.put([])
  }

  const ending: Ending =
    unread.length === 0
      ? { exit: 'done', text: '' }
      : {
          exit: 'not-done',
          text: `${word} still stands in ${unread.join(', ')}, which is no UTF-8 text. Change it by hand.`,
        }
  const held = await turn.changes.differences()
  const climbed = await checkAttempt(turn, spending, task)
  if (climbed === undefined) return { ending: halted(turn, spending) ?? ending, checks: [] }
  if (climbed.failed === undefined) return { ending, checks: climbed.reports }
  const attempt = { ending, climbed, held, key: keyOf(held), certainty: undefined }
  const chosen = await choose(turn, spending, task, [attempt])
  if (chosen.attempt === undefined) await turn.changes.put([])
  return { ending: chosen.ending, checks: chosen.checks }
}
