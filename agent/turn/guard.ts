/** A whole-file answer is looked at before it is applied: what a model leaves out is not what the user asked to lose. */
import { isUtf8 } from 'node:buffer'
import * as z from 'zod'
import type { Workspace } from '../../sandbox/index.ts'
import {
  describeLoss,
  type Effect,
  keepHollow,
  type Loss,
  mergeDefinitions,
  restoreDocs,
  whatIsLost,
} from '../../tools/index.ts'
import { splice } from '../context/excerpt.ts'
import { asksOnly, asksToEmpty, forbidsChange, mayGo } from './wishes.ts'

type Guarded =
  /** `note`: what was done to the answer, for the model. */
  | { readonly kind: 'apply'; readonly content: string; readonly note?: string }
  /** `told`: what would be lost, for the model. `grave`: something is gone that the file defines or explains. */
  | { readonly kind: 'refuse'; readonly told: string; readonly grave: boolean }

/** What becomes of a call before policy is asked. */
export type Looked =
  | { readonly kind: 'go'; readonly input: unknown; readonly note: string | undefined }
  | { readonly kind: 'refuse'; readonly why: 'would-lose' | 'only-asked'; readonly told: string }

/** Guards the calls of one run. */
export interface WriteGuard {
  /** A new reply begins: these are the calls in it. */
  reply(calls: readonly { readonly name: string; readonly arguments: unknown }[]): void
  /** Judges a parsed call, and may give another input in its place. */
  look(tool: string, input: unknown, effects: readonly Effect[]): Promise<Looked>
}

const wholeFile = z.object({ path: z.string(), content: z.string() })

/**
 * `mine` tells whether the run made the file itself: then nothing of the user's can be lost. `quotes`: the model writes
 * code as an answer to a plain question, and what it writes would be taken for a change. `parts`: path → what of a long file
 * the model was shown and asked to write again; such an answer goes into its place. `unseen`: see `Turn.unseen`.
 */
export function writeGuard({
  task,
  workspace,
  mine,
  parts,
  unseen,
  quotes,
}: {
  readonly task: string
  readonly workspace: Workspace
  readonly mine: (path: string) => boolean
  readonly parts: ReadonlyMap<string, string>
  readonly unseen: boolean
  readonly quotes: boolean
}): WriteGuard {
  const refusal = forbidsChange(task)
    ? 'Not written: the task says that nothing is to be changed.'
    : quotes && asksOnly(task)
      ? 'Not written: the task only asks a question.'
      : undefined
  const told = new Set<string>()
  let inReply: z.infer<typeof wholeFile>[] = []
  return {
    reply(calls) {
      inReply = calls.flatMap(({ name, arguments: given }) => {
        const parsed = name === 'write' ? wholeFile.safeParse(given) : undefined
        return parsed?.success ? [parsed.data] : []
      })
    },
    async look(tool, input, effects) {
      if (refusal !== undefined && effects.some(({ kind }) => kind === 'write')) {
        return { kind: 'refuse', why: 'only-asked', told: refusal }
      }
      const go = { kind: 'go', input, note: undefined } as const
      const write = tool === 'write' ? wholeFile.safeParse(input) : undefined
      if (!write?.success || mine(write.data.path)) return go
      const { path, content } = write.data
      const others = inReply.filter((other) => other.path !== path).map((other) => other.content)
      const guarded = await guardWrite({ path, content }, { task, workspace, others, part: parts.get(path) })
      if (guarded.kind === 'apply') return { kind: 'go', input: { path, content: guarded.content }, note: guarded.note }
      // A file that only becomes shorter may be meant so, when the model says it twice.
      if (!guarded.grave && (unseen || told.has(path))) return go
      told.add(path)
      return { kind: 'refuse', why: 'would-lose', told: guarded.told }
    },
  }
}

const keptNote = 'The parts of the file that your answer left out were kept.'
const partNote = 'The lines were put into their place; the rest of the file is as it was.'
/** Losses told to the model. */
const most = 6

/**
 * Judges the new text of a whole file. `others`: the texts of the other files that the same reply writes, for what moves
 * from one to another. A function in which nothing stands keeps what stood there; an answer that is one function goes into
 * its place; comments that are gone come back; what cannot be kept so is refused.
 */
async function guardWrite(
  { path, content: said }: { readonly path: string; readonly content: string },
  {
    task,
    workspace,
    others,
    part,
  }: {
    readonly task: string
    readonly workspace: Workspace
    readonly others: readonly string[]
    readonly part: string | undefined
  },
): Promise<Guarded> {
  const before = await textOf(path, workspace)
  if (before === undefined || before.trim() === '') return { kind: 'apply', content: said }
  const filled = asksToEmpty(task) ? undefined : keepHollow(before, said)
  const content = filled ?? said
  const lossOf = (text: string): Loss[] => unasked(before, text, { task, others })
  const losses = lossOf(content)
  const spliced = part === undefined ? undefined : splice(before, part, content)
  for (const candidate of spliced === undefined ? [] : [spliced, restoreDocs(before, spliced) ?? spliced])
    if (lossOf(candidate).length === 0) return { kind: 'apply', content: candidate, note: partNote }
  if (losses.length === 0) return { kind: 'apply', content, ...(filled !== undefined && { note: keptNote }) }

  for (const candidate of repairs(before, content, losses)) {
    if (lossOf(candidate).length === 0) return { kind: 'apply', content: candidate, note: keptNote }
  }
  const told = losses.slice(0, most).map((loss) => `- ${describeLoss(loss)}`)
  const more = losses.length > most ? [`- and ${losses.length - most} more`] : []
  const ask = `Not written: the task does not ask for these to be lost from ${path}:`
  const next = 'Answer again with these kept, or with only the function that changes.'
  return { kind: 'refuse', told: [ask, ...told, ...more, next].join('\n'), grave: losses.some(isGrave) }
}

const isGrave = ({ kind }: Loss): boolean => kind !== 'shrink' && kind !== 'name'

/** The answer with what it left out, in the ways that need no guess; the least first. */
function* repairs(before: string, content: string, losses: readonly Loss[]): Generator<string> {
  const documented = restoreDocs(before, content)
  if (documented !== undefined) yield documented
  const stand = new Set(losses.flatMap((loss) => (loss.kind === 'elision' ? [loss.line] : [])))
  // "# the rest stays the same" says so at the left edge only; further in, it stands for a part of a function.
  const said = content.split('\n').filter((line, i) => !stand.has(i + 1) || /^\s/.test(line))
  const merged = mergeDefinitions(before, said.join('\n'))
  if (merged === undefined) return
  yield merged
  const both = restoreDocs(before, merged)
  if (both !== undefined) yield both
}

function unasked(
  before: string,
  after: string,
  { task, others }: { readonly task: string; readonly others: readonly string[] },
): Loss[] {
  const allowed = mayGo(task)
  const elsewhere = new Set(
    whatIsLost(before, after).flatMap((loss) => (loss.kind === 'definition' ? [loss.name] : [])),
  )
  for (const loss of whatIsLost(before, others.join('\n'))) if (loss.kind === 'definition') elsewhere.delete(loss.name)
  return whatIsLost(before, after).filter((loss) => {
    switch (loss.kind) {
      case 'definition':
      case 'name':
        return !allowed.definition(loss.name) && !elsewhere.has(loss.name)
      case 'doc':
        return !allowed.docs
      case 'shrink':
        return !allowed.shrink
      case 'elision':
        return true
      default:
        return loss satisfies never
    }
  })
}

/** The text as a model was shown it; undefined where there is no file or no text. The tool itself refuses what it cannot write. */
async function textOf(path: string, workspace: Workspace): Promise<string | undefined> {
  try {
    if ((await workspace.stat(path))?.kind !== 'file') return undefined
    const bytes = await workspace.read(path, { maxBytes: 4 * 1024 * 1024 })
    return bytes.includes(0) || !isUtf8(bytes) ? undefined : bytes.toString('utf8').replace(/^\ufeff/, '')
  } catch {
    // Outside, unreadable or too large: the tool says so.
    return undefined
  }
}
