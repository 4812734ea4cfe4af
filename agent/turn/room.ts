/** Keeps a long session going: what is big and old is paged out, and only when that is not enough is it summarised. */
import type { Model, Sampling } from '../../engine/index.ts'
import { readFencedFiles } from '../context/fence.ts'
import { linesOfTalk, mostRecent, pageOfTalk, pageOut } from '../context/paging.ts'
import type { Conversation } from '../conversation.ts'
import type { AgentEvent } from '../events.ts'
import type { Placed } from '../log/format.ts'

/** Shares of the context: where room is made, and how much is then in use. */
const full = 0.8
const aim = 0.55
/** Rough, for how much has to go; what is left is counted by the model. */
const charactersPerToken = 3.2
const summaryTokens = 1200

export interface RoomOptions {
  readonly model: Model
  readonly sampling: Partial<Sampling> | undefined
  readonly signal: AbortSignal
  /** Gives an id for a page that is not taken. */
  readonly nextId: () => string
  /** What the user said so far, in their words, oldest first: never lost. */
  readonly inputs: readonly string[]
  /** Takes over what was paged out, and the files that are not in front of the model any more. */
  readonly paged: (pages: readonly { readonly id: string; readonly text: string }[], files: readonly string[]) => void
}

/** Does nothing while there is room. `mayCut`: the conversation stands between two turns, so that old ones can be summarised. */
export async function* makeRoom(
  conversation: Conversation,
  options: RoomOptions,
  mayCut: boolean,
): AsyncGenerator<AgentEvent, void> {
  const { contextTokens } = options.model.info
  if (contextTokens === undefined || conversation.contextTokens < contextTokens * full) return
  // Between two turns the results of the last one go, too, before anything is summarised.
  for (const recent of mayCut ? [mostRecent, 0] : [mostRecent]) {
    const before = conversation.contextTokens
    if (before < contextTokens * full) return
    const surplus = (before - contextTokens * aim) * charactersPerToken
    const out = pageOut(conversation.placed, surplus, options.nextId, { recent, recall: mayRecall(conversation) })
    if (out === undefined) continue
    await conversation.rebuild({ why: 'paged', messages: out.messages, pages: out.pages, gone: out.files })
    options.paged(out.pages, out.files)
    const text = `The context was nearly full: ${out.pages.length === 1 ? 'an old result or file was' : `${out.pages.length} old results and files were`} paged out (${before} → ${conversation.contextTokens} tokens). They are kept${mayRecall(conversation) ? ', and the model can recall them' : ' in the log'}.`
    yield { type: 'notice', level: 'info', text }
  }
  if (mayCut && conversation.contextTokens >= contextTokens * full) yield* summarise(conversation, options)
}

/** Whether the model has the tool that brings a page back: small ones do not. */
const mayRecall = ({ placed }: Conversation): boolean =>
  placed.some(({ message }) => message.role === 'system' && message.tools.some(({ name }) => name === 'recall'))

/** Dropped messages that the user is told of one by one. */
const mostListed = 12

const ask =
  'Summarise what was done so far for a colleague who goes on with it: what was decided and why, what was changed in which files, what is still to do, what to watch out for. Words only, no calls.'

/** The last resort: a summary by the model in the place of all but the last turn. The user sees it. */
async function* summarise(
  conversation: Conversation,
  { sampling, signal, inputs, nextId, paged }: RoomOptions,
): AsyncGenerator<AgentEvent, void> {
  const { placed } = conversation
  const isTalk = ({ segment }: Placed): boolean => segment === 'conversation'
  const last = placed.findLastIndex((one) => isTalk(one) && one.message.role === 'user')
  const dropped = placed.filter((one, at) => isTalk(one) && at < last)
  if (dropped.length < 2) return
  let summary = ''
  const fork = await conversation.fork()
  try {
    await fork.append([{ role: 'user', text: ask }])
    for await (const event of fork.respond({ signal, maxTokens: summaryTokens, ...(sampling && { sampling }) })) {
      if (event.type === 'prefill') yield event
      if (event.type === 'done') summary = event.message.text.trim()
    }
  } finally {
    await fork.close()
  }
  if (summary === '' || signal.aborted) return
  const words = inputs.map((text) => `- ${text.replaceAll('\n', '\n  ')}`).join('\n')
  const id = nextId()
  const whole = mayRecall(conversation) ? `\n\n[${id}: all of it is paged out; recall ${id} brings it back]` : ''
  const text = `What the user asked so far, word for word:\n${words}\n\nWhat was done, in your own summary:\n${summary}${whole}`
  const gone = dropped.flatMap(({ message }) =>
    message.role === 'user' ? readFencedFiles(message.text).map(({ path }) => path) : [],
  )
  const kept: Placed[] = [
    ...placed.filter((one) => !isTalk(one)),
    { segment: 'conversation', message: { role: 'user', text } },
    { segment: 'conversation', message: { role: 'assistant', reasoning: '', text: 'Understood.', calls: [] } },
    ...placed.slice(last),
  ]
  const pages = [{ id, text: pageOfTalk(dropped) }]
  const before = conversation.contextTokens
  await conversation.rebuild({ why: 'summarised', messages: kept, pages, gone })
  paged(pages, gone)
  const listed = linesOfTalk(dropped, mostListed).map((line) => `- ${line}`)
  const notice = `The context was full and there was nothing more to page out: ${dropped.length} messages were replaced by the model's own summary (${before} → ${conversation.contextTokens} tokens). Your words and the instructions stay. Dropped, but kept${whole === '' ? ' in the log' : ` as ${id}, which the model can recall`}:\n${listed.join('\n')}\nThe summary:\n${summary}`
  yield { type: 'notice', level: 'warning', text: notice }
}
