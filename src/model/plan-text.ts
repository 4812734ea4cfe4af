/** What a model would need here, in lines for a person. */
import type { ModelPlan, PlanRow } from '../../engine/index.ts'
import { bytesText } from './bytes.ts'
import { table } from './table.ts'

export const verdicts = { yes: 'fits', tight: 'not now', no: 'too large' } as const

/** A line about the weights, then a table of contexts: memory in all, and whether it is there. */
export function planLines(plan: ModelPlan): string[] {
  const kinds = [...new Set(plan.rows.map(({ kvType }) => kvType))]
  const contexts = [...new Set(plan.rows.map(({ contextTokens }) => contextTokens))]
  const cell = (row: PlanRow | undefined): string =>
    row === undefined ? '' : `${bytesText(row.need.total)}, ${verdicts[row.verdict]}`
  const rows = contexts.map((tokens) => [
    contextText(tokens),
    ...kinds.map((kind) => cell(plan.rows.find((row) => row.contextTokens === tokens && row.kvType === kind))),
  ])
  return [weightsLine(plan), ...table([['context', ...kinds.map((kind) => `cache ${kind}`)], ...rows])]
}

function weightsLine({ weightsBytes, activeBytes, tokensPerSecond }: ModelPlan): string {
  const active = activeBytes < 0.9 * weightsBytes ? `, of which a token reads ${bytesText(activeBytes)}` : ''
  const speed = tokensPerSecond === undefined ? '' : `; at most ${tokensPerSecond.toPrecision(2)} tokens/s here`
  return `weights ${bytesText(weightsBytes)}${active}${speed}`
}

/** `32k`, `1M`: a context as people say it. */
export function contextText(tokens: number): string {
  if (tokens >= 1 << 20 && tokens % (1 << 20) === 0) return `${tokens >> 20}M`
  return tokens >= 1024 ? `${Math.floor(tokens / 1024)}k` : String(tokens)
}
