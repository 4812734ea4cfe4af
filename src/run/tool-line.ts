import type { AgentEvent } from '../../agent/index.ts'
import { duration, plural } from '../terminal/numbers.ts'
import { sanitizeLine } from '../terminal/sanitize.ts'
import type { Style } from '../terminal/screen.ts'

type ToolResultEvent = Extract<AgentEvent, { type: 'tool-result' }>

/** Files of one call that are named; the diff has all of them. */
const mostFiles = 10

/** One call and its outcome in one line. The mark says success or failure, the colour only repeats it. */
export function toolLine({ name, result, seconds }: ToolResultEvent, style: Style): string {
  const mark = result.ok ? style.green('✓') : style.red('✗')
  const time = seconds >= 1 ? style.dim(` ${duration(seconds)}`) : ''
  return `${mark} ${sanitizeLine(name)} ${outcome(name, result, style)}${time}`
}

function outcome(name: string, result: ToolResultEvent['result'], style: Style): string {
  const { details } = result
  switch (details.kind) {
    case 'read':
      return `${sanitizeLine(details.path)} ${style.dim(`lines ${details.fromLine}–${details.toLine} of ${details.totalLines}`)}`
    case 'change':
      return `${sanitizeLine(details.path)} ${style.dim(changeOf(details.before, details.after))}`
    case 'changes':
      return [
        ...details.files
          .slice(0, mostFiles)
          .map((file) => `${sanitizeLine(file.path)} ${style.dim(changeOf(file.before, file.after))}`),
        ...(details.files.length > mostFiles ? [`${details.files.length - mostFiles} files more`] : []),
      ].join(', ')
    case 'command':
      return commandOutcome(details)
    case 'list': {
      const entries = plural(details.entries, name === 'recall' ? 'line' : 'entry').replace('entrys', 'entries')
      return `${sanitizeLine(details.path)} ${style.dim(entries)}`
    }
    case 'search':
      // What was asked, and the beginning of the answer: nothing else of an exploration is shown.
      if (name === 'explore')
        return `${sanitizeLine(details.pattern)} ${style.dim(sanitizeLine(result.content.split('\n')[0] ?? '').slice(0, 200))}`
      return `${sanitizeLine(details.pattern)} ${style.dim(plural(details.matches, 'match').replace('matchs', 'matches'))}`
    case 'call':
      return style.dim(plural(details.text.length, 'character'))
    case 'failure':
      return `${details.reason}: ${sanitizeLine(result.content.split('\n')[0] ?? '').slice(0, 200)}`
    default:
      return unreachable(details)
  }
}

function changeOf(before: string | null, after: string | null): string {
  if (before === null) return after === null ? 'written' : `new, ${plural(lines(after), 'line')}`
  if (after === null) return 'deleted'
  return `${lines(before)} → ${plural(lines(after), 'line')}`
}

const lines = (text: string): number => (text === '' ? 0 : text.replace(/\n$/, '').split('\n').length)

function commandOutcome(details: Extract<ToolResultEvent['result']['details'], { kind: 'command' }>): string {
  switch (details.outcome) {
    case 'exited':
      return details.exitCode === 0 ? 'exit 0' : `exit ${details.exitCode}`
    case 'signalled':
      return `killed by signal ${details.exitCode - 128}`
    case 'timed-out':
      return `timed out after ${duration(details.seconds)}`
    case 'aborted':
      return 'aborted'
    case 'running':
      return 'running in the background'
    default:
      return unreachable(details.outcome)
  }
}

function unreachable(value: never): never {
  throw new Error(`unknown tool details: ${JSON.stringify(value)}`)
}
