/** Decides which files of a repository a model is shown whole, which as an outline, and writes the text of it. */
import { isUtf8 } from 'node:buffer'
import { readWithin } from '../../../sandbox/index.ts'
import { fingerprint } from '../../../tools/index.ts'
import { fencedFile } from '../fence.ts'
import { type Reason, reasonByText } from './classify.ts'
import { askedOnce, type Outlined, type OutlineOf, outlineAll, type RankOf } from './outlines.ts'
import { type Surveyed, surveyTree } from './survey.ts'
import { intro, repositoryText } from './text.ts'

/** One file of the work tree and what became of it. */
export interface PlannedFile {
  readonly path: string
  readonly state: 'whole' | 'outlined' | 'absent'
  /** Why it is not whole. */
  readonly reason?: Reason
  readonly bytes: number
  /** Tokens that it takes in the context: its share, by length, of those counted. */
  readonly tokens: number
}

/** A file that is shown whole. */
export interface ShownWhole {
  readonly path: string
  readonly text: string
  readonly fingerprint: string
}

export interface RepositoryPlan {
  /** What the model is shown; '' when nothing fits. */
  readonly text: string
  /** Tokens of the text, counted. */
  readonly tokens: number
  /** By path. */
  readonly files: readonly PlannedFile[]
  /** In the order of the text: what changes seldom first. */
  readonly whole: readonly ShownWhole[]
}

export interface PlanOptions {
  readonly root: string
  readonly budgetTokens: number
  readonly countTokens: (text: string) => Promise<number>
  readonly outlineOf?: OutlineOf | undefined
  readonly rankOf?: RankOf | undefined
}

/** Characters a token: a guess for ordinary code. What the text then takes is counted, and tells better for another pass. */
const guessedCharacters = 3.2
/** Passes at most, and how full the budget is to be before another one is spared. */
const mostPasses = 3
const wellFilled = 0.92
/** The share of the budget that files may take whole where others are to be outlined. */
const wholeShare = 0.85
/** Less room than this is not worth another file. In tokens. */
const leastRoom = 24
/** With less than this, and more to show, the outlines are the map of the repository: what others lean on comes first. */
const mapBudget = 16_384
/** The share of the budget that a map may take. */
const mapShare = 0.7
const outlinable: readonly Reason[] = ['big', 'generated', 'vendored']
/** What only its text told: of a program that holds a key the rest is worth knowing. */
const outlinableText: readonly Reason[] = ['no room', 'generated', 'secret']

/** One way through the tree, with so many characters a token assumed. */
interface Pass extends PlanOptions {
  readonly tree: readonly Surveyed[]
  readonly charactersPerToken: number
  /** Whether what is over the budget may be taken off: else the first text that is gives up with what it told. */
  readonly last: boolean
}

/** Same tree, same history, same budget: same bytes. */
export async function planRepository(options: PlanOptions): Promise<RepositoryPlan> {
  const tree = await surveyTree(options.root)
  const once = { ...options, ...askedOnce(options) }
  let charactersPerToken = guessedCharacters
  for (let pass = 1; ; pass += 1) {
    const { plan, counted } = await planOnce({ ...once, tree, charactersPerToken, last: pass === mostPasses })
    const short = plan?.files.some(({ reason }) => reason === 'no room') === true
    if (plan !== undefined && (!short || plan.tokens >= options.budgetTokens * wellFilled)) return plan
    // In steps, so that a small change of the tree seldom changes what fits.
    const measured = Math.max(0.1, Math.floor(counted * 10) / 10)
    if (plan !== undefined && (measured <= charactersPerToken || pass === mostPasses)) return plan
    charactersPerToken = plan === undefined ? Math.min(measured, charactersPerToken - 0.1) : measured
  }
}

/** `counted`: characters a token in the first text that was made. No plan: that was over the budget, and this is not the last pass. */
async function planOnce(pass: Pass): Promise<{ readonly plan?: RepositoryPlan; readonly counted: number }> {
  const { root, tree, budgetTokens, countTokens, outlineOf, charactersPerToken } = pass
  const estimate = estimator(charactersPerToken)
  const map = await mapOf(pass)
  const order =
    map?.order ??
    tree.toSorted((a, b) => a.rank - b.rank || b.heat - a.heat || a.bytes - b.bytes || (a.path < b.path ? -1 : 1))
  const fates = new Map<string, PlannedFile>()
  const absent = ({ path, bytes }: Surveyed, reason: Reason): void => {
    fates.set(path, { path, state: 'absent', reason, bytes, tokens: 0 })
  }

  const reserved = map?.tokens ?? (outlineOf === undefined ? 0 : budgetTokens * (1 - wholeShare))
  let room = budgetTokens - reserved - estimate(intro) - 200
  const chosen: Chosen[] = []
  const toOutline: Surveyed[] = []
  for (const file of order) {
    const { reason } = file
    if (reason !== undefined) {
      absent(file, reason)
      if (outlineOf !== undefined && outlinable.includes(reason)) toOutline.push(file)
      continue
    }
    // A character is two bytes at most, but in few scripts.
    const fits = room >= leastRoom && file.bytes / 2 / charactersPerToken <= room
    const read = fits ? await readText(root, file) : undefined
    const why = !fits ? 'no room' : typeof read === 'string' ? read : undefined
    const tokens = typeof read === 'object' ? estimate(fencedFile(file.path, read.text)) + 2 : 0
    if (why === undefined && typeof read === 'object' && tokens <= room) {
      chosen.push({ file, tokens, ...read })
      room -= tokens
    } else {
      absent(file, why ?? 'no room')
      if (why === undefined || outlinableText.includes(why)) toOutline.push(file)
    }
  }

  let outlined = (
    map?.outlined.filter(({ file }) => !chosen.some((one) => one.file === file)) ??
    (outlineOf === undefined
      ? []
      : await outlineAll(root, toOutline, { tokens: room + reserved, leastRoom, estimate }, outlineOf))
  ).toSorted((a, b) => (a.file.path < b.file.path ? -1 : 1))
  let shrink = 0
  let counted: number | undefined
  for (;;) {
    const kept = chosen.slice(0, chosen.length - shrink)
    for (const { file } of chosen.slice(kept.length)) absent(file, 'no room')
    for (const { file, tokens } of kept)
      fates.set(file.path, { path: file.path, state: 'whole', bytes: file.bytes, tokens })
    for (const { file, text, reason } of outlined)
      fates.set(file.path, { path: file.path, state: 'outlined', reason, bytes: file.bytes, tokens: estimate(text) })
    const estimated = tree.flatMap(({ path }) => fates.get(path) ?? [])
    const shown = kept.toSorted((a, b) => a.file.heat - b.file.heat || (a.file.path < b.file.path ? -1 : 1))
    const text = kept.length + outlined.length === 0 ? '' : repositoryText(shown, outlined, pathsOnly(estimated))
    const tokens = text === '' ? 0 : await countTokens(text)
    counted ??= text.length / Math.max(1, tokens)
    if (tokens > budgetTokens && !pass.last && charactersPerToken > 0.2) return { counted }
    // Told as shares of what was counted: code full of numbers takes half as much again as its length says.
    const files = estimated.map((file) => ({
      ...file,
      tokens: Math.round((file.tokens * tokens) / estimate(text || ' ')),
    }))
    if (tokens > budgetTokens && kept.length === 0 && outlined.length > 0) {
      // Every outline was estimated too low: fewer of them, the longest go first.
      const most = Math.floor(outlined.length * Math.min(0.8, budgetTokens / tokens))
      const shortest = outlined.toSorted((a, b) => a.text.length - b.text.length).slice(0, most)
      for (const { file, reason } of outlined) absent(file, reason)
      outlined = outlined.filter((one) => shortest.includes(one))
      continue
    }
    if (tokens <= budgetTokens || kept.length === 0) {
      const whole = shown.map(({ file: { path }, text: body, fingerprint: mark }) => ({
        path,
        text: body,
        fingerprint: mark,
      }))
      const fits = tokens <= budgetTokens
      return { plan: fits ? { text, tokens, files, whole } : { text: '', tokens: 0, files, whole: [] }, counted }
    }
    // What was estimated too low is taken off from the end of the order, a little more than seems needed.
    shrink = chosen.length - keepWithin(kept, budgetTokens / (tokens * 1.03))
  }
}

/** The outlines of what others lean on most, where the context is small and not everything fits. Undefined elsewhere. */
async function mapOf({
  tree,
  root,
  budgetTokens,
  outlineOf,
  rankOf,
  charactersPerToken,
}: Pass): Promise<{ readonly order: Surveyed[]; readonly outlined: Outlined[]; readonly tokens: number } | undefined> {
  if (outlineOf === undefined || rankOf === undefined || budgetTokens > mapBudget) return undefined
  const estimate = estimator(charactersPerToken)
  const files = tree.filter(({ reason }) => reason === undefined || outlinable.includes(reason))
  const all = files.reduce((sum, { bytes }) => sum + bytes / charactersPerToken, 0)
  if (all <= budgetTokens * wholeShare) return undefined
  const ranks = await rankOf(
    root,
    files.map(({ path }) => path),
  )
  const leaned = ({ path }: Surveyed): number => ranks.get(path) ?? 0
  const order = tree.toSorted((a, b) => a.rank - b.rank || leaned(b) - leaned(a) || (a.path < b.path ? -1 : 1))
  const candidates = order.filter((file) => files.includes(file))
  const outlined = await outlineAll(
    root,
    candidates,
    { tokens: budgetTokens * mapShare, leastRoom, estimate },
    outlineOf,
  )
  return { order, outlined, tokens: outlined.reduce((sum, { text }) => sum + estimate(text), 0) }
}

const estimator =
  (charactersPerToken: number) =>
  (text: string): number =>
    Math.ceil(text.length / charactersPerToken)

interface Chosen {
  readonly file: Surveyed
  readonly tokens: number
  readonly text: string
  readonly fingerprint: string
}

/** How many of the files fit into a share of what they take together; at least one less than all. */
function keepWithin(files: readonly Chosen[], share: number): number {
  const most = files.reduce((sum, { tokens }) => sum + tokens, 0) * share
  let sum = 0
  let count = 0
  for (const { tokens } of files) {
    sum += tokens
    if (sum > most) break
    count += 1
  }
  return Math.min(count, files.length - 1)
}

/** Its text with `\n` line ends and no byte-order mark, or why it is not for reading. */
async function readText(root: string, { path }: Surveyed): Promise<{ text: string; fingerprint: string } | Reason> {
  const bytes = await readWithin(root, path)
  // Gone, led elsewhere, or not ours to read: as good as empty.
  if (bytes === undefined) return 'empty'
  if (bytes.includes(0) || !isUtf8(bytes)) return 'binary'
  const text = bytes
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n')
  return reasonByText(text) ?? { text, fingerprint: fingerprint(bytes) }
}

const hidden: readonly Reason[] = ['ignored', 'secret', 'link']

/** Paths that the model may know of, though it is not shown what stands there. */
const pathsOnly = (files: readonly PlannedFile[]): string[] =>
  files.flatMap(({ path, state, reason }) =>
    state === 'absent' && (reason === undefined || !hidden.includes(reason)) ? [path] : [],
  )
