/** The repository in the context as it is now, in the place of how it was when the session began: read behind the user's back. */
import type { Model, ModelSession } from '../../engine/index.ts'
import type { Workspace } from '../../sandbox/index.ts'
import type { Conversation } from '../conversation.ts'
import type { Placed } from '../log/format.ts'
import { changedIntro, changesEnd, changesSince, type Known } from './repository/delta.ts'
import { nowIgnored } from './repository/ignored.ts'
import { isRestLeft, knownFrom, type RepositoryOptions, repack } from './repository/resident.ts'

/** Of the context, what a conversation may take after the rest of the repository has joined it: paging begins at four fifths. */
const mostFilled = 0.7
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
const joined = '(The files of the repository stand at the beginning from now on, as they are now.)'

/**
 * Packs the repository anew and reads it in a copy of the conversation, from the first change on: where enough of it has changed, and
 * where the session began with less of it than the budget allows, because reading it would have taken too long (`rest`). Undefined
 * when there is nothing to do, when it does not fit beside the conversation, or when the signal aborted: what was read is then kept on disk
 * for another time. The caller takes over `ready`. Rejects with EngineError.
 */
export async function prepareRebase(
  conversation: Conversation,
  options: RepositoryOptions & {
    readonly model: Model
    readonly workspace: Workspace
    readonly signal: AbortSignal
    /** Whether what is not in the context yet may join it. */
    readonly rest: boolean
  },
): Promise<Rebased | undefined> {
  const { model, workspace, signal } = options
  const { placed } = conversation
  const found = placed.findIndex(({ segment }) => segment === 'repository')
  const at = found >= 0 ? found : placed.findLastIndex(({ segment }) => segment === 'system') + 1
  const old = found >= 0 ? placed[found]?.message.text : undefined
  const joins = options.rest && (await isRestLeft(options, old))
  if (signal.aborted || !(joins || (old !== undefined && (await hasChanged(old, workspace))))) return undefined

  const before = placed.slice(0, at).map(({ message }) => message)
  const resident = await repack({ ...options, before: [{ name: 'system', messages: before }] })
  if (resident === undefined || resident.plan.text === old || signal.aborted) return undefined
  const messages = [
    ...placed.slice(0, at),
    ...resident.segment.messages.map((message): Placed => ({ segment: 'repository', message })),
    ...placed.slice(old === undefined ? at : at + 1).map(withoutNews),
    { segment: 'conversation', message: { role: 'user', text: joins ? joined : note } } as const,
  ]
  const { contextTokens } = model.info
  const both = conversation.contextTokens + resident.plan.tokens
  // Both are in the cache until the old one is given up.
  if (contextTokens !== undefined && both > contextTokens * (joins ? mostFilled : 1)) return undefined
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

/** Whether so much of what a text of the repository shows is another now that it is worth reading it again, or not for showing any more. */
async function hasChanged(old: string, workspace: Workspace): Promise<boolean> {
  const known = knownFrom([{ name: 'repository', messages: [{ role: 'user', text: old }] }])
  const { text } = await changesSince(known, workspace)
  return text.length >= old.length * leastChange || (await nowIgnored(workspace.root, [...known.keys()])).size > 0
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
