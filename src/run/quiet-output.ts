import type { AgentEvent } from '../../agent/index.ts'
import { sanitize } from '../terminal/sanitize.ts'
import type { Screen } from '../terminal/screen.ts'
import type { Output } from './output.ts'

/** Only the result's text on stdout; warnings and why a run was not done on stderr. */
export function quietOutput(screen: Screen): Output {
  return {
    event(event: AgentEvent) {
      if (event.type === 'notice' && event.level !== 'info') screen.note(`cachalot: ${event.text}`)
      if (event.type !== 'result') return
      if (event.exit === 'done') {
        const text = sanitize(event.text)
        screen.write(text.endsWith('\n') || text === '' ? text : `${text}\n`)
      } else {
        screen.note(`cachalot: ${event.exit}: ${event.text}`)
      }
    },
    status: () => undefined,
  }
}
