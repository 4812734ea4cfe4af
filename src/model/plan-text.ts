/** What a model would need here, in lines for a person. */
import type { ModelPlan, PlanRow } from '../../engine/index.ts'
import { bytesText } from './bytes.ts'
import { table } from './table.ts'

const verdicts = { yes: 'fits', tight: 'not now', no: 'too large' } as const

/** A line about the weights, then a table of contexts: what the cache and the work take, and whether all of it is there. */
export function planLines(plan: ModelPlan): string[] {
  const checkpoints = plan.rows.some(({ need }) => need.checkpoints > 0)
  const cells = ({ contextTokens, kvType, need, verdict }: PlanRow): string[] => [
    contextText(contextTokens),
    kvType,
    bytesText(need.cache),
    bytesText(need.compute),
    ...(checkpoints ? [bytesText(need.checkpoints)] : []),
    `${bytesText(need.total)}, ${verdicts[verdict]}`,
  ]
  const head = ['context', 'type', 'KV cache', 'compute', ...(checkpoints ? ['checkpoints'] : []), 'with the weights']
  return [weightsLine(plan), ...table([head, ...plan.rows.map(cells)]), ...longestLine(plan)]
}

function longestLine({ longest, trainedTokens }: ModelPlan): string[] {
  if (longest.f16 === 0 && longest.q8_0 === 0) return []
  const most = (tokens: number): string =>
    tokens === trainedTokens ? `${contextText(tokens)}, all it knows` : contextText(tokens)
  return longest.f16 === longest.q8_0
    ? [`the longest context that fits now: ${most(longest.f16)}`]
    : [`the longest context that fits now: ${most(longest.f16)}; with --kv-type q8_0 ${most(longest.q8_0)}`]
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
