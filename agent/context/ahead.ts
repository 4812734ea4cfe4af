/** The context of a session, before there is one: what would be in it, and reading it ahead. */
import type { Model, Segment, Usage } from '../../engine/index.ts'
import { openWorkspace } from '../../sandbox/index.ts'
import type { CodeSense } from '../../tools/index.ts'
import { buildPrefix } from './prefix.ts'
import type { ContextReport } from './report.ts'
import type { RepositoryPlan } from './repository/plan.ts'
import {
  budgetOf,
  isRestLeft,
  planFor,
  type RepositoryOptions,
  repack,
  residentRepository,
} from './repository/resident.ts'
import { usualTools } from './tools.ts'

export interface AheadOptions {
  readonly model: Model
  /** Absolute path of the work tree. */
  readonly root: string
  readonly repository: RepositoryOptions
  readonly appendSystem?: string | undefined
  /** As the sessions will have it: it decides which tools are in the prefix. */
  readonly code?: CodeSense | undefined
}

/** What `cachalot context` tells. */
export async function describeContext(options: AheadOptions): Promise<ContextReport> {
  const { model, repository } = options
  const { workspace, system, rest } = await prefixOf(options)
  const request = { ...repository, model, workspace, before: system }
  const budgetTokens = budgetOf(model, repository.budgetTokens)
  const resident = await residentRepository(request)
  const plan = resident?.plan ?? (await planFor(request, budgetTokens))
  const tokensPerSecond = await model.readings?.tokensPerSecond()
  const part = resident !== undefined && (await isRestLeft(request, plan.text))
  const has = resident === undefined ? 'none' : part ? 'part' : 'all'
  return {
    contextTokens: model.info.contextTokens,
    budgetTokens,
    resident: resident !== undefined,
    why: plan.text === '' ? emptyReason(plan) : reasonFor(options, has, tokensPerSecond !== undefined),
    plan,
    otherTokens: await tokensOf(model, [...system, ...rest]),
    tokensPerSecond,
  }
}

/** Exact where the model's dialect is at hand: one that is told of tools in words takes far less than their schemas. */
async function tokensOf(model: Model, prefix: readonly Segment[]): Promise<number> {
  const told = await model.readings?.saved(prefix)
  if (told !== undefined) return told.tokens
  const texts = prefix.flatMap(({ messages }) =>
    messages.map((message) => message.text + (message.role === 'system' ? JSON.stringify(message.tools) : '')),
  )
  return await model.countTokens(texts.join('\n'))
}

const emptyReason = ({ files }: RepositoryPlan): string =>
  files.length === 0 ? 'there are no files' : 'nothing of it fits or is for reading'

function reasonFor(
  { model, repository: { when, startupSeconds } }: AheadOptions,
  has: 'all' | 'part' | 'none',
  measured: boolean,
): string {
  if (when === 'never') return 'context.repository is never'
  if (when === 'always') return 'context.repository is always'
  if (model.info.prompt === 'small')
    return `${model.info.name} is small and does better with the files that a task names (--repository always puts it in)`
  if (model.readings === undefined) return 'what is read is not kept with this model (--repository always puts it in)'
  if (has === 'all') return `its reading is saved, or takes at most ${startupSeconds} s`
  const later = 'is read while a session here rests, or by cachalot warm'
  if (has === 'part') return `as much of it as is read in ${startupSeconds} s; the rest ${later}`
  return measured
    ? `reading it takes more than ${startupSeconds} s; it ${later}`
    : `how fast this machine reads with ${model.info.name} is measured with the first answer; it ${later}`
}

/**
 * Packs the repository as large as the budget allows and reads it, as sessions that begin later will want it. Stops
 * early on abort; what was read is kept. `kept`: tokens whose reading is on disk now: fewer than were read where the disk is full or
 * may not be written. Undefined when there is nothing to read. Rejects with EngineError, and with an
 * Error for a model whose readings are not kept.
 */
export async function readAhead(
  options: AheadOptions & {
    readonly signal: AbortSignal
    readonly onProgress: (done: number, total: number, cached: number) => void
  },
): Promise<{ readonly usage: Usage; readonly plan: RepositoryPlan; readonly kept: number } | undefined> {
  const { model, repository, signal, onProgress } = options
  const { workspace, system, rest } = await prefixOf(options)
  const resident = await repack({ ...repository, model, workspace, before: system })
  if (resident === undefined) return undefined
  const prefix = [...system, resident.segment, ...rest]
  const session = await model.start(prefix)
  try {
    if (session.read === undefined)
      throw new Error(`What ${model.info.name} reads is not kept on this machine: there is nothing to warm.`)
    const usage = await session.read({ signal, onProgress })
    return { usage, plan: resident.plan, kept: (await model.readings?.saved(prefix))?.saved ?? 0 }
  } finally {
    await session.close()
  }
}

/** What stands before and behind the repository. */
async function prefixOf({ model, root, appendSystem, code }: AheadOptions) {
  const workspace = openWorkspace(root)
  const all = await buildPrefix({
    info: model.info,
    tools: usualTools(model.info, code),
    workspace,
    instructions: true,
    appendSystem,
  })
  const isSystem = ({ name }: Segment): boolean => name === 'system'
  return { workspace, system: all.filter(isSystem), rest: all.filter((segment) => !isSystem(segment)) }
}
