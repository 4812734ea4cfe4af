/** What models need at each length of context, whether their files are here or not. */
import { contextLadder, type Fit, fits, type Machine, type ModelPlan, type StoredModel } from '../../engine/index.ts'
import { bytesText } from './bytes.ts'
import { contextText } from './plan-text.ts'
import { table } from './table.ts'

/** A length of context, and what a model takes with it in all: weights, KV cache (f16), checkpoints and working memory. */
export interface ContextNeed {
  readonly contextTokens: number
  readonly neededBytes: number
  readonly verdict: Fit['verdict']
}

/** Short, so that all lengths stand in 80 columns. */
const verdicts = { yes: 'fits', tight: 'tight', no: 'no' } as const

/** The lengths that are told of every model; the last is the model's own longest, where that is shorter. */
const lengths = (longest: number): number[] => [...new Set(contextLadder.map((tokens) => Math.min(tokens, longest)))]

/** Of a model of the catalog: reckoned from what is known of it. */
export function needsOfEntry(entry: NonNullable<StoredModel['entry']>, machine: Machine): ContextNeed[] {
  return lengths(entry.contextTokens).map((contextTokens) => {
    const { neededBytes, verdict } = fits(machine, entry, contextTokens)
    return { contextTokens, neededBytes, verdict }
  })
}

/** Of a file: from its header. */
export const needsOfPlan = ({ rows }: ModelPlan): ContextNeed[] =>
  rows
    .filter(({ kvType }) => kvType === 'f16')
    .map(({ contextTokens, need, verdict }) => ({ contextTokens, neededBytes: need.total, verdict }))

/** One line a model, one column a length of context. */
export function ladderTable(
  models: readonly { readonly name: string; readonly contexts: readonly ContextNeed[] }[],
): string[] {
  const rows = models.map(({ name, contexts }) => [
    '',
    name,
    ...contextLadder.map((most, at) => {
      const need = contexts.find(({ contextTokens: tokens }) => tokens <= most && tokens > (contextLadder[at - 1] ?? 0))
      if (need === undefined) return ''
      const own = need.contextTokens === most ? '' : `${contextText(need.contextTokens)}: `
      return `${own}${bytesText(need.neededBytes)}, ${verdicts[need.verdict]}`
    }),
  ])
  return table([['', 'memory at context', ...contextLadder.map(contextText)], ...rows])
}

/** Which model is the largest that fits now, and with how much of a context; nothing where none fits. */
export function largestFit(
  models: readonly {
    readonly name: string
    readonly bytes: number
    readonly fits?: Fit
    readonly contexts: readonly ContextNeed[]
  }[],
): string[] {
  const fitting = models.filter(({ fits: fit }) => fit?.verdict === 'yes')
  const [first, ...others] = fitting
  if (first?.fits === undefined) return []
  const largest = others.reduce((most, one) => (one.bytes > most.bytes ? one : most), first)
  const longest = largest.contexts.findLast(({ verdict }) => verdict === 'yes')?.contextTokens
  const context = longest === undefined ? '' : `, with ${contextText(longest)} of context`
  const memory = `${bytesText(first.fits.availableBytes)} of memory are free of ${bytesText(first.fits.totalBytes)}.`
  return ['', memory, `The largest that fits: ${largest.name}${context}.`]
}
