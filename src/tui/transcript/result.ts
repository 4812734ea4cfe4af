/** The end of a run in one line, and what to know when it did not end well. */
import type { AgentEvent } from '../../../agent/index.ts'
import { count, duration, exploredText, plural, priceText, rate } from '../../terminal/numbers.ts'
import { type Line, type Role, type Span, span } from '../text/style.ts'
import { wrap } from '../text/wrap.ts'

type Result = Extract<AgentEvent, { type: 'result' }>

const ends: Readonly<Record<Result['exit'], readonly [mark: string, words: string, role: Role]>> = {
  done: ['✓', 'done', 'ok'],
  'not-done': ['✗', 'not done', 'warning'],
  limit: ['✗', 'limit reached', 'warning'],
  model: ['✗', 'model failed', 'error'],
  sandbox: ['✗', 'no sandbox', 'error'],
  denied: ['✗', 'denied', 'warning'],
  interrupted: ['■', 'interrupted', 'warning'],
}

export function resultLines(result: Result, width: number): Line[] {
  const [mark, words, role] = ends[result.exit]
  const { usage } = result
  const speed = rate(usage.generatedTokens, usage.decodeSeconds)
  const facts = [
    ...(result.changes.length > 0 ? [plural(result.changes.length, 'file')] : []),
    duration(result.seconds),
    `${plural(usage.generatedTokens, 'token')}${speed === undefined ? '' : ` at ${speed}`}`,
    ...((usage.draftedTokens ?? 0) > 0
      ? [`${count(usage.acceptedTokens ?? 0)} of ${count(usage.draftedTokens ?? 0)} drafted tokens held`]
      : []),
    ...reading(usage),
    ...(result.explored ? [exploredText(result.explored)] : []),
    ...(usage.price === undefined ? [] : [priceText(usage.price)]),
  ]
  const line: Span[] = [span(`${mark} ${words}`, { role }), span(` · ${facts.join(' · ')}`, { role: 'muted' })]
  // What the model said last has been shown as it streamed; why a run ended otherwise has not.
  const [cause = ''] = result.text.split('\n\nThe model said: ')
  const why = result.exit === 'done' || result.exit === 'interrupted' ? '' : cause
  const reason =
    why === ''
      ? []
      : why
          .split('\n')
          .slice(0, 6)
          .map((one): Line => [span(`  ${one}`, { role })])
  return [line, ...reason, ...checkLines(result.checks)].flatMap((one) => wrap(one, width, { hang: [span('  ')] }))
}

/** What was read, how quickly where that was felt, and what did not have to be. */
function reading({ evaluatedTokens, cachedTokens, prefillSeconds }: Result['usage']): string[] {
  if (evaluatedTokens + cachedTokens === 0) return []
  const speed = prefillSeconds >= 1 ? rate(evaluatedTokens, prefillSeconds) : undefined
  const read = `${count(evaluatedTokens)} read${speed === undefined ? '' : ` at ${speed}`}`
  return [cachedTokens > 0 ? `${read}, ${count(cachedTokens)} warm` : read]
}

/** What was checked and how it came out; the marks say it without colour. */
function checkLines(checks: Result['checks']): Line[] {
  return checks.map(({ name, passed, detail }) => {
    const [mark, role]: [string, Role] = passed === null ? ['–', 'muted'] : passed ? ['✓', 'ok'] : ['✗', 'error']
    const [first = ''] = detail.split('\n')
    return [span(`  ${mark} ${name}`, { role }), span(first === '' ? '' : `: ${first}`, { role: 'muted' })]
  })
}
