import { countDiff } from '../terminal/diff.ts'
import { count, duration, exploredText, plural, priceText, rate } from '../terminal/numbers.ts'
import { sanitizeLine } from '../terminal/sanitize.ts'
import type { Style } from '../terminal/screen.ts'
import type { ResultEvent } from './output.ts'

const verdicts: Readonly<Record<ResultEvent['exit'], string>> = {
  done: 'done',
  'not-done': 'not done',
  limit: 'limit reached',
  model: 'model failed',
  sandbox: 'no sandbox',
  denied: 'denied',
  interrupted: 'interrupted',
}

/** One check as we made it. What was not checked is said too: nobody should take it for checked. */
export function checkLine({ name, passed, detail }: ResultEvent['checks'][number], style: Style): string {
  const [first = ''] = detail.split('\n')
  const said = style.dim(sanitizeLine(first))
  if (passed === null) return `${style.dim('–')} ${name}: ${said}`
  return `${passed ? style.green('✓') : style.red('✗')} ${name}: ${passed ? said : sanitizeLine(first)}`
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
    event.explored && exploredText(event.explored),
    usage.price === undefined ? undefined : priceText(usage.price),
  ]
  return `${mark} ${style.bold(verdicts[event.exit])} ${style.dim(`· ${parts.filter((part) => part !== undefined).join(' · ')}`)}`
}

function changes({ changes, exit, steps }: ResultEvent): string | undefined {
  // Ended before it could look.
  if (changes.length === 0 && exit === 'interrupted' && steps === 0) return undefined
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
