/**
 * One change in many places, by a model that sees one of them at a time: each begins where the conversation was, so that it has
 * in front of it only what it needs. What is done in the files is one change: all of it stays, or none.
 */
import { fingerprint } from '../tools/index.ts'
import { checkAttempt } from './checks/turn.ts'
import { type Attempted, choose, keyOf } from './choice.ts'
import { filesOfEach } from './context/each-file.ts'
import { partsOf } from './context/parts.ts'
import { type Place, type Steps, someOf, stepPlan, timesIn } from './context/steps.ts'
import type { Conversation } from './conversation.ts'
import type { AgentEvent } from './events.ts'
import { exchanged } from './exchange.ts'
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
  const beginAt = async ({ path, lines }: Place, about?: string): Promise<number | undefined> => {
    const where =
      lines === undefined ? path : `@${/\s/.test(path) ? JSON.stringify(path) : path}:${lines.from}-${lines.to}`
    const words = `${task}\n\nNow do it in ${where} alone; other ${lines === undefined ? 'files' : 'parts'} have their own turn.`
    await memory.beginStep(conversation, words, path, about)
    return memory.replyTokens
  }
  const one = ({ length }: readonly string[]) => (length === 1 ? '' : `${length} files, done one at a time: `)
  const plan = await stepPlan(task, list, workspace)
  if (plan !== undefined) {
    const { words, by, files, unread } = plan
    const [word, ...others] = words
    const stand = `${words.join(' and ')} ${others.length === 0 ? 'stands' : 'stand'}`
    const exact =
      by === undefined ? undefined : `${files.length === 1 ? '' : `${files.length} files: `}${someOf(files)}`
    const told =
      exact === undefined
        ? `${one(files)}${files.join(', ')}.`
        : `${exact}. It becomes ${by} there, letter by letter; the model is not asked.`
    return {
      ...{ unread, told: `${stand} in ${told}`, places: files.map((path) => ({ path })) },
      ...(by !== undefined && { exchange: { word, by } }),
      begin: (place) => beginAt(place, word),
      left: ({ path }) => timesIn(words, path, workspace),
      stuck: (path) => `${words.join(' or ')} still stands in ${path}.`,
    }
  }
  const files = await filesOfEach(task, list, workspace)
  if (files === undefined) return undefined
  const stamp = async (path: string) =>
    (await workspace.stat(path))?.kind === 'file' ? fingerprint(await workspace.read(path)) : undefined
  const before = new Map<Place, string | undefined>()
  const places: Place[] = []
  for (const path of files) {
    const text = (await workspace.read(path)).toString('utf8').replaceAll('\r\n', '\n')
    const parts = partsOf(text, await model.countTokens(text))
    places.push(...(parts.length === 1 ? [{ path }] : parts.map((lines) => ({ path, lines }))))
  }
  return {
    ...{ places, unread: [], told: `${one(files)}${files.join(', ')}.` },
    begin: (place) => beginAt(place),
    async left(place) {
      const now = await stamp(place.path)
      if (!before.has(place)) before.set(place, now)
      else if (before.get(place) !== now) return 0
      return 1
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
  const { places } = steps
  const mark = await turn.conversation.mark()
  /** Places of which the model had nothing to say. */
  const same: Place[] = []
  yield { type: 'notice', level: 'info', text: steps.told }

  /** Undefined when nothing is left to do there, or it may stay as it is. */
  async function* onePlace(place: Place): AsyncGenerator<AgentEvent, Ending | undefined> {
    let left = await steps.left(place)
    for (let stale = 0; left > 0; ) {
      if (mark !== undefined) await turn.conversation.rewind(mark)
      const replyTokens = await steps.begin(place)
      // The same request again: a greedy answer would be the same.
      const sampling = samplingOf(turn.sampling, stale === 0 ? 1 : stale + 2)
      const ending = yield* rounds({ ...turn, replyTokens, sampling }, spending, task)
      const stopped = stoppedBy(turn, spending, ending)
      if (stopped !== undefined) return stopped
      const now = await steps.left(place)
      stale = now < left ? 0 : stale + 1
      left = now
      if (stale < patience) continue
      if (steps.stuck !== undefined) return { exit: 'not-done', text: steps.stuck(place.path) }
      same.push(place)
      return undefined
    }
    return undefined
  }

  let whole = false
  let exact: Ending | undefined
  try {
    if (steps.exchange !== undefined) {
      exact = yield* exchanged(turn, spending, task, { ...steps, exchange: steps.exchange })
      if (exact.exit !== 'done') return none(exact)
    } else {
      for (const [at, place] of places.entries()) {
        if (places.length > 1) {
          yield { type: 'notice', level: 'info', text: `Step ${at + 1} of ${places.length}: ${nameOf(place)}` }
        }
        const ending = yield* onePlace(place)
        if (ending !== undefined) return none(ending)
      }
    }
    whole = true
  } finally {
    // Also where the engine died, or nobody listens any more.
    if (!whole) await turn.changes.put([])
  }

  const ending = endingOf(steps, same, exact)
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

const none = (ending: Ending): Attempted => ({
  ending: { ...ending, text: `${ending.text} No file was changed.`.trim() },
  checks: [],
})

const nameOf = ({ path, lines }: Place): string =>
  lines === undefined ? path : `${path}, lines ${lines.from}–${lines.to}`

function endingOf({ places, unread, stuck }: Steps, same: readonly Place[], exact: Ending | undefined): Ending {
  if (unread.length > 0) {
    const what = stuck?.(unread.join(', ')).replace(/\.$/, '') ?? `Not done: ${unread.join(', ')}`
    return { exit: 'not-done', text: `${what}. Change it by hand.` }
  }
  if (exact !== undefined) return exact
  if (same.length === places.length) return { exit: 'not-done', text: 'The model changed none of them.' }
  return { exit: 'done', text: same.length === 0 ? '' : `Left as they are: ${same.map(nameOf).join(', ')}.` }
}
