/**
 * Holds a conversation once more: the model gets what it got then, the recorded results of its calls in place of the
 * tools, and what it says is compared with what it said. Nothing is run and nothing is written.
 */
import type {
  AssistantMessage,
  Checkpoint,
  Message,
  Model,
  ModelSession,
  Sampling,
  Segment,
} from '../../engine/index.ts'
import { LogError } from './format.ts'
import { type LoadedLog, loadLog } from './load.ts'
import { segmentsOf } from './segments.ts'
import { chain } from './write.ts'

/** Where a reply is not the recorded one. */
export interface Divergence {
  /** Counted from 1. */
  readonly reply: number
  readonly what: 'reasoning' | 'text' | 'calls' | 'tokens' | 'failure'
  readonly recorded: string
  readonly now: string
}

export interface Rerun {
  readonly id: string
  /** Replies that were compared. */
  readonly replies: number
  /** The first one; undefined: all were the same. */
  readonly divergence: Divergence | undefined
  /** Set when the log ends before its end, see loadLog. */
  readonly broken: string | undefined
}

export interface RerunOptions {
  readonly signal: AbortSignal
  readonly sampling?: Partial<Sampling>
  /** A reply was the same as the recorded one. */
  readonly onReply?: (reply: number) => void
}

/** Ends at the first divergence. Rejects with LogError, and as the model does when it cannot be given the messages. */
export async function rerunSession(file: string, model: Model, options: RerunOptions): Promise<Rerun> {
  const loaded = await loadLog(file)
  const { header, broken } = loaded
  if (header.model.name !== model.info.name || header.model.dialect !== model.info.dialect) {
    const { name, dialect } = header.model
    throw new LogError(
      `The session ${header.id} was held with ${name} (${dialect}), not with ${model.info.name} (${model.info.dialect}). Choose that model with --model.`,
    )
  }
  const session = await model.start(prefixOf(loaded))
  try {
    const { replies, divergence } = await rerun(session, loaded, options)
    return { id: header.id, replies, divergence, broken }
  } finally {
    await session.close()
  }
}

/** The name by which the session's model can be opened again; undefined for a script, whose file is not known. */
export async function sessionModel(file: string): Promise<string | undefined> {
  const { name, place } = (await loadLog(file)).header.model
  return place === 'scripted' ? undefined : name
}

/** What the model was started with: all before the conversation. */
function prefixOf({ records }: LoadedLog): Segment[] {
  const segments: { name: Segment['name']; messages: Message[] }[] = []
  for (const record of records) {
    if (record.type !== 'message' || record.segment === 'conversation') continue
    const current = segments.at(-1)
    if (current?.name === record.segment) current.messages.push(record.message)
    else segments.push({ name: record.segment, messages: [record.message] })
  }
  return segments
}

async function rerun(
  session: ModelSession,
  { records, header }: LoadedLog,
  { signal, sampling, onReply }: RerunOptions,
): Promise<Pick<Rerun, 'replies' | 'divergence'>> {
  const targets = new Set(records.flatMap((record) => (record.type === 'rewind' ? [record.to] : [])))
  const marks = new Map<string, Checkpoint>()
  /** Recorded id of a call → its id now. */
  const ids = new Map<string, string>()
  const files = new Set<string>()
  let visible = ''
  let replies = 0
  for (const record of records) {
    if (record.type === 'files') for (const { path } of record.files) files.add(path)
    if (record.type === 'rewind') {
      const mark = marks.get(record.to)
      if (mark === undefined) throw new LogError(`The session ${header.id} goes back to no place in its log.`)
      await session.rewind(mark)
      visible = record.to
    }
    if (record.type === 'rebuild') {
      await session.replace(segmentsOf(record.messages))
      visible = record.messages.reduce(chain, '')
      marks.clear()
    }
    if (record.type !== 'message') continue
    visible = chain(visible, record)
    if (record.segment === 'conversation') {
      const { message } = record
      if (message.role === 'assistant') {
        signal.throwIfAborted()
        const said = await reply(session, { signal, sampling, files: [...files], maxTokens: longest(message, session) })
        replies += 1
        const found =
          'failure' in said ? { what: 'failure' as const, recorded: '', now: said.failure } : difference(message, said)
        if (found !== undefined) return { replies, divergence: { reply: replies, ...found } }
        if (!('failure' in said))
          for (const [at, { id }] of message.calls.entries()) ids.set(id, said.calls[at]?.id ?? id)
        onReply?.(replies)
      } else
        await session.append([
          message.role === 'tool' ? { ...message, callId: ids.get(message.callId) ?? message.callId } : message,
        ])
    }
    if (targets.has(visible)) marks.set(visible, await session.checkpoint())
  }
  return { replies, divergence: undefined }
}

/** As long as it was then: a reply that was cut is compared up to the cut. */
const longest = ({ sampled }: AssistantMessage, { info }: ModelSession): number =>
  Math.max(1, sampled?.length ?? info.contextTokens ?? 32_768)

async function reply(
  session: ModelSession,
  options: Parameters<ModelSession['respond']>[0],
): Promise<AssistantMessage | { readonly failure: string }> {
  for await (const event of session.respond(options)) {
    if (event.type === 'done') return event.message
    if (event.type === 'error') return { failure: event.failure.message }
  }
  return { failure: 'the model ended without a reply' }
}

/** The first of what a person sees that differs; the tokens last, for they say least. */
function difference(recorded: AssistantMessage, now: AssistantMessage): Omit<Divergence, 'reply'> | undefined {
  const calls = (message: AssistantMessage) =>
    JSON.stringify(message.calls.map(({ name, arguments: given }) => [name, given]))
  if (recorded.reasoning !== now.reasoning)
    return { what: 'reasoning', recorded: recorded.reasoning, now: now.reasoning }
  if (recorded.text !== now.text) return { what: 'text', recorded: recorded.text, now: now.text }
  if (calls(recorded) !== calls(now)) return { what: 'calls', recorded: calls(recorded), now: calls(now) }
  const [before, after] = [recorded.sampled?.join(' '), now.sampled?.join(' ')]
  if (before !== undefined && after !== undefined && before !== after)
    return { what: 'tokens', recorded: before, now: after }
  return undefined
}
