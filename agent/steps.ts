/**
 * One change in many files, by a model that sees one of them at a time: each begins where the conversation was, so that it has
 * in front of it only what it needs. What is done in the files is one change: all of it stays, or none.
 */
import { fingerprint } from '../tools/index.ts'
import { checkAttempt } from './checks/turn.ts'
import { type Attempted, choose, keyOf } from './choice.ts'
import { filesOfEach } from './context/each-file.ts'
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
  const list = () => listFiles(workspace.root)
  const begin = async (path: string): Promise<number | undefined> => {
    const words = `${task}\n\nNow do it in ${path} alone; other files have their own turn.`
    await memory.beginStep(conversation, words, path)
    return memory.replyTokens
  }
  const one = ({ length }: readonly string[]) => (length === 1 ? '' : `${length} files, done one at a time: `)
  const plan = await stepPlan(task, list, workspace)
  if (plan !== undefined) {
    const { word, files, unread } = plan
    return {
      ...{ files, unread, begin, told: `${word} stands in ${one(files)}${files.join(', ')}.` },
      left: (path) => timesIn(word, path, workspace),
      stuck: (path) => `${word} still stands in ${path}.`,
    }
  }
  const files = await filesOfEach(task, list, workspace)
  if (files === undefined) return undefined
  const stamp = async (path: string) =>
    (await workspace.stat(path))?.kind === 'file' ? fingerprint(await workspace.read(path)) : undefined
  const before = new Map<string, string | undefined>()
  for (const path of files) before.set(path, await stamp(path))
  return {
    ...{ files, unread: [], begin, told: `${one(files)}${files.join(', ')}.` },
    left: async (path) => (before.get(path) === (await stamp(path)) ? 1 : 0),
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
  const { files } = steps
  const mark = await turn.conversation.mark()
  /** Files of which the model had nothing to say. */
  const same: string[] = []
  yield { type: 'notice', level: 'info', text: steps.told }

  /** Undefined when nothing is left to do in the file, or it may stay as it is. */
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
      if (stale < patience) continue
      if (steps.stuck !== undefined) return { exit: 'not-done', text: steps.stuck(path) }
      same.push(path)
      return undefined
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

  const ending = endingOf(steps, same)
  const putBack = await turn.putBack?.()
  const held = await turn.changes.differences()
  const climbed = await checkAttempt(turn, spending, task, { putBack })
  if (climbed === undefined) return { ending: halted(turn, spending) ?? ending, checks: [] }
  if (climbed.failed === undefined) return { ending, checks: climbed.reports }
  const attempt = { ending, climbed, held, putBack, key: keyOf(held), certainty: undefined }
  const chosen = await choose(turn, spending, task, [attempt])
  if (chosen.attempt === undefined) await turn.changes.put([])
  return { ending: chosen.ending, checks: chosen.checks }
}

function endingOf({ files, unread, stuck }: Steps, same: readonly string[]): Ending {
  if (unread.length > 0) {
    const what = stuck?.(unread.join(', ')).replace(/\.$/, '') ?? `Not done: ${unread.join(', ')}`
    return { exit: 'not-done', text: `${what}, which is no UTF-8 text. Change it by hand.` }
  }
  if (same.length === files.length) return { exit: 'not-done', text: 'The model changed none of them.' }
  return { exit: 'done', text: same.length === 0 ? '' : `Left as they are: ${same.join(', ')}.` }
}
