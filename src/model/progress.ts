/** A download as a person watches it: one line that changes in a terminal, a line now and then in a log. */
import type { DownloadEvent } from '../../engine/index.ts'
import { bar, duration } from '../terminal/numbers.ts'
import { bytesText } from './bytes.ts'

/** Where the lines go; `Screen` is one. */
export interface ProgressScreen {
  /** Shows a passing line; undefined removes it. */
  status(text: string | undefined): void
  /** Writes a lasting line. */
  note(text: string): void
}

interface ProgressOptions {
  /** What is fetched. */
  readonly title: string
  readonly screen: ProgressScreen
  /** Whether passing lines are seen; if not, a lasting one is written every ten seconds. */
  readonly terminal: boolean
  readonly now?: () => number
}

const logEveryMs = 10_000

/** Gives the listener to hand to a download. */
export function downloadProgress({
  title,
  screen,
  terminal,
  now = () => performance.now(),
}: ProgressOptions): (event: DownloadEvent) => void {
  let logged = now()
  return (event) => {
    if (event.type === 'progress') {
      const line = progressLine(title, event)
      if (terminal) return screen.status(line)
      if (now() - logged < logEveryMs) return
      logged = now()
      return screen.note(line)
    }
    if (event.type === 'source') screen.status(`${title}  asking ${event.source} …`)
    else screen.note(eventLine(title, event))
  }
}

/** `name  ██████░░░░  62%  691 MB of 1.1 GB  41 MB/s  10s left`. */
function progressLine(title: string, event: Extract<DownloadEvent, { type: 'progress' }>): string {
  const { bytes, total, bytesPerSecond, secondsLeft } = event
  const speed = `${bytesText(bytesPerSecond)}/s`
  if (total === undefined) return `${title}  ${bytesText(bytes)}  ${speed}`
  const percent = `${Math.floor((bytes / total) * 100)}%`.padStart(4)
  const left = secondsLeft === undefined ? '' : `  ${duration(secondsLeft)} left`
  return `${title}  ${bar(bytes / total)} ${percent}  ${bytesText(bytes)} of ${bytesText(total)}  ${speed}${left}`
}

function eventLine(title: string, event: Exclude<DownloadEvent, { type: 'progress' | 'source' }>): string {
  switch (event.type) {
    case 'waiting': {
      const who = event.pid === undefined ? 'another process' : `process ${event.pid}`
      return `${title}: ${who} is fetching it already; waiting for it`
    }
    case 'resumed':
      return `${title}: going on from the ${bytesText(event.bytes)} that are here`
    case 'passed-over':
      return `${event.source} passed over: ${event.reason}`
    case 'retry':
      return `${event.source}: ${event.reason}; trying again in ${duration(event.inSeconds)}`
    case 'mismatch':
      return `${event.source}: SHA-256 is ${event.actual} instead of ${event.expected}; its bytes were deleted`
    default:
      return event satisfies never
  }
}
