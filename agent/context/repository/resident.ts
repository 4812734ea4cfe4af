/** Whether the repository is in the context of a session, and how much of it: the rule, by what this machine can do. */
import type { Model, Segment } from '../../../engine/index.ts'
import type { Workspace } from '../../../sandbox/index.ts'
import { readFencedFiles } from '../fence.ts'
import { type Base, loadBases, saveBase } from './base.ts'
import { changesSince, type Known } from './delta.ts'
import { nowIgnored } from './ignored.ts'
import type { OutlineOf, RankOf } from './outlines.ts'
import { planRepository, type RepositoryPlan } from './plan.ts'
import { surveyTree } from './survey.ts'

export interface RepositoryOptions {
  /**
   * `auto`: a model with the full prompt gets it when reading what is not saved yet fits into `startupSeconds` by the
   * speed measured last; a small model never. `always`: whatever it costs. `never`.
   */
  readonly when: 'auto' | 'always' | 'never'
  /** At most so many tokens. Default: half of the context, of a small model's three tenths. */
  readonly budgetTokens?: number | undefined
  readonly startupSeconds: number
  /** Where the last packing of a work tree is kept. Absolute; made when needed. */
  readonly folder: string
  /** Absent: what does not fit is listed by its path. */
  readonly outlineOf?: OutlineOf | undefined
  /** Absent: a map for a small context goes by path. */
  readonly rankOf?: RankOf | undefined
}

/** A repository that is in the context. */
export interface Resident {
  readonly segment: Segment
  readonly plan: RepositoryPlan
  /** What the model knows of each file that is whole in it. */
  readonly known: ReadonlyMap<string, Known>
}

const share = { full: 0.5, small: 0.3 } as const
const assumedContext = 32_768
/** A repository of fewer tokens than this is not worth a segment of its own when the rest had to be left out. */
const leastBudget = 2000
/** Characters a token, at most so many in ordinary code: of a tree that is larger not everything can be read. */
const mostCharacters = 4.5
/** What a dialect writes around a message, in tokens, at most. */
const framing = 32
/** More change than this share of the base, and it is packed anew. */
const mostChange = 0.2

type Request = RepositoryOptions & {
  readonly model: Model
  readonly workspace: Workspace
  /** What stands before the repository: its reading is part of the question. */
  readonly before: readonly Segment[]
}

/** How many tokens the repository may take. */
export function budgetOf({ info }: Model, wanted: number | undefined): number {
  const context = info.contextTokens ?? assumedContext
  // A quarter of the context is for the conversation, whatever was wished for.
  return Math.floor(Math.min(wanted ?? context * share[info.prompt], context * 0.75))
}

export const segmentOf = ({ text }: RepositoryPlan): Segment => ({
  name: 'repository',
  messages: [{ role: 'user', text }],
})

/** The repository for a session that begins, by the rule of `RepositoryOptions.when`; undefined: it stays out. */
export async function residentRepository(request: Request): Promise<Resident | undefined> {
  const { when, model } = request
  const budgetTokens = budgetOf(model, request.budgetTokens)
  if (when === 'never' || budgetTokens === 0) return undefined
  if (when === 'auto' && (model.info.prompt === 'small' || model.readings === undefined)) return undefined

  const base = await usableBase(request, budgetTokens)
  if (base !== undefined && (await affordable(request, base.plan))) return residentOf(base.plan)
  const now = Math.min(await readableNow(request), budgetTokens)
  const budgets = when === 'always' ? [budgetTokens] : await budgetsFor(request, budgetTokens, now)
  for (const budget of budgets) {
    const plan = await planFor(request, budget)
    if (plan.text === '' || !(await affordable(request, plan))) continue
    await keepBase(request, budget, plan).catch(() => undefined)
    return residentOf(plan)
  }
  return undefined
}

/** A prefix with the repository behind its system segment, and what the model then knows. */
export async function withRepository(
  prefix: readonly Segment[],
  options: RepositoryOptions | undefined,
  { model, workspace }: { readonly model: Model; readonly workspace: Workspace },
): Promise<{ readonly prefix: readonly Segment[]; readonly known: ReadonlyMap<string, Known> }> {
  if (options === undefined) return { prefix, known: new Map() }
  const before = prefix.filter(({ name }) => name === 'system')
  const resident = await residentRepository({ ...options, model, workspace, before })
  if (resident === undefined) return { prefix, known: new Map() }
  const after = prefix.filter(({ name }) => name !== 'system')
  return { prefix: [...before, resident.segment, ...after], known: resident.known }
}

/** Packs as much as the budget allows, without asking what it costs to read, and keeps it: for `cachalot warm`. */
export async function repack(request: Request): Promise<Resident | undefined> {
  const budgetTokens = budgetOf(request.model, request.budgetTokens)
  const plan = await planFor(request, budgetTokens)
  if (plan.text === '') return undefined
  // What cannot be kept is packed again the next time, to the same text while the tree is the same.
  await keepBase(request, budgetTokens, plan).catch(() => undefined)
  return residentOf(plan)
}

/**
 * Whether a session began with less of the repository than the budget allows, or without it, by the rule of `auto`. `text`: what it
 * has of it.
 */
export async function isRestLeft(
  { when, model, workspace, folder, budgetTokens }: Omit<Request, 'before'>,
  text: string | undefined,
): Promise<boolean> {
  if (when !== 'auto' || model.info.prompt === 'small' || model.readings === undefined) return false
  if (text === undefined) return true
  const bases = await loadBases(folder, workspace.root, model.info.name)
  const own = bases.find(({ plan }) => plan.text === text)
  return own !== undefined && own.budgetTokens < budgetOf(model, budgetTokens)
}

async function keepBase({ model, workspace, folder, before }: Request, budgetTokens: number, plan: RepositoryPlan) {
  const mark = await model.readings?.mark([...before, segmentOf(plan)])
  await saveBase(folder, workspace.root, model.info.name, { budgetTokens, plan, mark })
}

export const planFor = (
  { model, workspace, outlineOf, rankOf }: Omit<Request, 'before'>,
  budgetTokens: number,
): Promise<RepositoryPlan> =>
  planRepository({
    root: workspace.root,
    budgetTokens,
    countTokens: (text) => model.countTokens(text),
    outlineOf,
    rankOf,
  })

function residentOf(plan: RepositoryPlan): Resident {
  const known = new Map(plan.whole.map(({ path, text, fingerprint }): [string, Known] => [path, { text, fingerprint }]))
  return { segment: segmentOf(plan), plan, known }
}

/** What a model knows that was shown this segment in an earlier life of its session. */
export function knownFrom(segments: readonly Segment[]): ReadonlyMap<string, Known> {
  const messages = segments.filter(({ name }) => name === 'repository').flatMap((segment) => segment.messages)
  const files = messages.flatMap((message) => (message.role === 'user' ? readFencedFiles(message.text) : []))
  return new Map(files.map(({ path, text }): [string, Known] => [path, { text, fingerprint: '' }]))
}

/** Whether a packing shows a file that is there and is to be left out by now, by an ignore file. */
async function leavesOut({ files }: RepositoryPlan, root: string): Promise<boolean> {
  const shown = files.filter(({ state }) => state !== 'absent').map(({ path }) => path)
  return (await nowIgnored(root, shown)).size > 0
}

/** The last packing, when it was made for this budget and what has changed since is little. */
async function usableBase(
  { when, model, workspace, folder }: Request,
  budgetTokens: number,
): Promise<Base | undefined> {
  for (const base of await loadBases(folder, workspace.root, model.info.name)) {
    if (base.plan.text === '' || base.budgetTokens > budgetTokens) continue
    // One that was packed for less, by what was measured then, is not all that was asked for.
    if (when === 'always' && base.budgetTokens !== budgetTokens) continue
    const { known } = residentOf(base.plan)
    const { text, now } = await changesSince(known, workspace)
    const gone = [...now].filter(([, after]) => after === undefined).map(([path]) => known.get(path)?.text?.length ?? 0)
    const change = gone.reduce((sum, length) => sum + length, text.length)
    if (change > base.plan.text.length * mostChange) continue
    if (!(await leavesOut(base.plan, workspace.root))) return base
  }
  return undefined
}

/**
 * What is worth planning for where reading has to be a short wait: what is saved already has a base. By sizes alone, because a plan
 * of a large tree takes as long as a session's start. `now`: tokens that can be read at once.
 */
async function budgetsFor({ workspace }: Request, budgetTokens: number, now: number): Promise<number[]> {
  if (now <= 0) return []
  if (now >= budgetTokens) return [budgetTokens]
  const files = (await surveyTree(workspace.root)).filter(({ reason }) => reason === undefined)
  const least = files.reduce((sum, { bytes }) => sum + bytes, 0) / mostCharacters
  return [...(least <= now ? [budgetTokens] : []), ...(now >= leastBudget ? [now] : [])]
}

/** Tokens of the repository that can be read at once: in the time that is allowed, beside what stands before it. */
async function readableNow({ model, before, startupSeconds }: Request): Promise<number> {
  const speed = await model.readings?.tokensPerSecond()
  if (model.readings === undefined || speed === undefined) return 0
  const { tokens, saved } = await model.readings.saved(before)
  return Math.floor(startupSeconds * speed) - (tokens - saved) - framing
}

async function affordable({ when, model, before, startupSeconds }: Request, plan: RepositoryPlan): Promise<boolean> {
  if (when === 'always') return true
  if (model.readings === undefined) return false
  const { tokens, saved } = await model.readings.saved([...before, segmentOf(plan)])
  if (tokens === saved) return true
  const speed = await model.readings.tokensPerSecond()
  return speed !== undefined && (tokens - saved) / speed <= startupSeconds
}
