/** The repository in the context as it is now, in the place of how it was when the session began: read behind the user's back. */
import type { Model, ModelSession } from '../../engine/index.ts'
import type { Workspace } from '../../sandbox/index.ts'
import type { Conversation } from '../conversation.ts'
import type { Placed } from '../log/format.ts'
import { changedIntro, changesEnd, changesSince, type Known } from './repository/delta.ts'
import { knownFrom, type RepositoryOptions, repack } from './repository/resident.ts'

/** Less change than this share of what is shown of the repository is not worth reading it again. */
const leastChange = 0.05

export interface Rebased {
  readonly messages: readonly Placed[]
  /** A session that has read them. */
  readonly ready: ModelSession
  readonly known: ReadonlyMap<string, Known>
}

const note =
  '(The files at the beginning were brought up to date: they are as they are now, with all that was changed so far.)'

/**
 * Packs the repository anew and reads it in a copy of the conversation, from the first change on. Undefined when little
 * has changed, when it does not fit beside the conversation, or when the signal aborted: what was read is then kept on disk
 * for another time. The caller takes over `ready`. Rejects with EngineError.
 */
export async function prepareRebase(
  conversation: Conversation,
  options: RepositoryOptions & {
    readonly model: Model
    readonly workspace: Workspace
    readonly signal: AbortSignal
  },
): Promise<Rebased | undefined> {
  const { model, workspace, signal } = options
  const { placed } = conversation
  const at = placed.findIndex(({ segment }) => segment === 'repository')
  const old = placed[at]?.message
  if (old?.role !== 'user') return undefined
  const before = placed.slice(0, at).map(({ message }) => message)
  const known = knownFrom([{ name: 'repository', messages: [old] }])
  const { text } = await changesSince(known, workspace)
  if (text.length < old.text.length * leastChange || signal.aborted) return undefined

  const resident = await repack({ ...options, before: [{ name: 'system', messages: before }] })
  if (resident === undefined || resident.plan.text === old.text || signal.aborted) return undefined
  const messages = [
    ...placed.slice(0, at),
    ...resident.segment.messages.map((message): Placed => ({ segment: 'repository', message })),
    ...placed.slice(at + 1).map(withoutNews),
    { segment: 'conversation', message: { role: 'user', text: note } } as const,
  ]
  const { contextTokens } = model.info
  // Both are in the cache until the old one is given up.
  if (contextTokens !== undefined && conversation.contextTokens + resident.plan.tokens > contextTokens) return undefined
  const ready = await conversation.copyOf(messages)
  if (ready === undefined) return undefined
  try {
    if (ready.read !== undefined) await ready.read({ signal })
    else await ready.prefetch?.([], { signal })
  } catch (error) {
    await ready.close()
    throw error
  }
  if (!signal.aborted) return { messages, ready, known: resident.known }
  await ready.close()
  return undefined
}

const replaced = '(Changes of files that were told here are in the files above now.)'

/** What was told of changes is in the files now; told once more it would be taken for newer than they are. The user's words stay. */
function withoutNews(one: Placed): Placed {
  const { message, segment } = one
  if (segment !== 'conversation' || message.role !== 'user' || !message.text.startsWith(changedIntro)) return one
  const end = message.text.indexOf(`\n\n${changesEnd}\n\n`)
  const words = end < 0 ? '' : message.text.slice(end + changesEnd.length + 4)
  return { segment, message: { ...message, text: words === '' ? replaced : `${replaced}\n\n${words}` } }
}
