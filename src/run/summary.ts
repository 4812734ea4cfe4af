import { countDiff } from '../terminal/diff.ts'
import { count, duration, plural, rate } from '../terminal/numbers.ts'
import type { Style } from '../terminal/screen.ts'
import type { ResultEvent } from './output.ts'

const verdicts: Readonly<Record<ResultEvent['exit'], string>> = {
  done: 'done',
  'not-done': 'not done',
  limit: 'limit reached',
  model: 'model failed',
  sandbox: 'no sandbox',
  interrupted: 'interrupted',
}

/** How a run ended and what it cost, in one line. Parts that are nothing are left out. */
export function summaryLine(event: ResultEvent, style: Style): string {
  const mark = event.exit === 'done' ? style.green('✓') : style.red('✗')
  const { usage } = event
  const parts = [
    changes(event),
    event.steps > 0 ? plural(event.steps, 'step') : undefined,
    duration(event.seconds),
    usage.promptTokens > 0 ? read(usage) : undefined,
    usage.generatedTokens > 0
      ? withRate(`wrote ${count(usage.generatedTokens)} tokens`, rate(usage.generatedTokens, usage.decodeSeconds))
      : undefined,
  ]
  return `${mark} ${style.bold(verdicts[event.exit])} ${style.dim(`· ${parts.filter((part) => part !== undefined).join(' · ')}`)}`
}

function changes({ changes }: ResultEvent): string {
  if (changes.length === 0) return 'no file changed'
  const sums = changes.map((change) => countDiff(change.diff ?? ''))
  const added = sums.reduce((sum, one) => sum + one.added, 0)
  const removed = sums.reduce((sum, one) => sum + one.removed, 0)
  return `${plural(changes.length, 'file')} changed +${added} −${removed}`
}

function read(usage: ResultEvent['usage']): string {
  const cached = usage.cachedTokens > 0 ? ` (${count(usage.cachedTokens)} cached)` : ''
  return withRate(
    `read ${count(usage.promptTokens)} tokens${cached}`,
    rate(usage.evaluatedTokens, usage.prefillSeconds),
  )
}

const withRate = (text: string, speed: string | undefined): string =>
  speed === undefined ? text : `${text} at ${speed}`
