/** What is being done right now, in honest numbers: reading with tokens to do and time left, writing with tokens a second. */
import type { AgentEvent } from '../../agent/index.ts'
import { bar, count, duration, rate } from '../terminal/numbers.ts'
import { type Line, type Span, span } from './text/style.ts'
import { cut } from './text/wrap.ts'

export interface Activity {
  readonly phase: 'starting' | 'reading' | 'waiting' | 'thinking' | 'writing' | 'calling' | 'running'
  /** When the turn and the phase began, in milliseconds. */
  readonly turnSince: number
  readonly since: number
  /** What runs or is being written, in a few words. */
  readonly about: string
  /** Prompt tokens: read, to read in all, found warm; undefined before the first count. */
  readonly reading: { readonly done: number; readonly total: number; readonly cached: number } | undefined
  /** Pieces of text that came since the reply began: one token each from our own engine. */
  readonly pieces: number
  /** When the first piece of this reply came. */
  readonly writingSince: number | undefined
}

export const beginActivity = (nowMs: number): Activity => ({
  phase: 'starting',
  turnSince: nowMs,
  since: nowMs,
  about: '',
  reading: undefined,
  pieces: 0,
  writingSince: undefined,
})

export function follow(activity: Activity, event: AgentEvent, nowMs: number): Activity {
  const enter = (phase: Activity['phase'], about = ''): Activity =>
    activity.phase === phase && activity.about === about ? activity : { ...activity, phase, about, since: nowMs }
  const piece = (next: Activity): Activity => ({
    ...next,
    pieces: next.pieces + 1,
    writingSince: next.writingSince ?? nowMs,
  })
  switch (event.type) {
    case 'step':
      return { ...enter('waiting'), reading: undefined, pieces: 0, writingSince: undefined }
    case 'prefill': {
      const { done, total, cached } = event
      return { ...enter(done < total ? 'reading' : 'waiting'), reading: { done, total, cached } }
    }
    case 'reasoning':
      return piece(enter('thinking'))
    case 'text':
      return piece(enter('writing'))
    case 'call-start':
      return piece(enter('calling', [event.name, event.path].filter(Boolean).join(' ')))
    case 'call-delta':
      return piece(activity)
    case 'call':
      return enter('running', event.call.name)
    case 'tool-result':
    case 'malformed':
      return enter('waiting')
    case 'session':
    case 'output':
    case 'usage':
    case 'notice':
    case 'approval':
    case 'result':
      return activity
  }
}

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

const names: Readonly<Record<Activity['phase'], string>> = {
  starting: 'starting',
  reading: 'reading',
  waiting: 'waiting for the model',
  thinking: 'thinking',
  writing: 'writing',
  calling: 'writing',
  running: 'running',
}

/** One line of it. `still`: no moving mark (screen readers, reduced motion). */
export function activityLine(activity: Activity, nowMs: number, width: number, still: boolean): Line {
  const mark = still ? '· ' : `${spinner[Math.floor(nowMs / 100) % spinner.length]} `
  const words = [names[activity.phase], activity.about].filter(Boolean).join(' ')
  const facts = [...progress(activity, nowMs), duration((nowMs - activity.turnSince) / 1000), 'Esc interrupts']
  const spans: Span[] = [
    span(mark, { role: 'accent' }),
    span(words, { bold: true }),
    span(` · ${facts.join(' · ')}`, { role: 'muted' }),
  ]
  return cut(spans, width)
}

function progress({ phase, reading, since, pieces, writingSince }: Activity, nowMs: number): string[] {
  if (phase === 'reading' && reading !== undefined) {
    const { done, total, cached } = reading
    const seconds = (nowMs - since) / 1000
    const read = Math.max(0, done - cached)
    const speed = rate(read, seconds)
    const left = speed === undefined || read === 0 ? undefined : ((total - done) * seconds) / read
    return [
      `${bar(done / Math.max(1, total), 10)} ${count(done)} of ${count(total)} tokens`,
      ...(cached > 0 ? [`${count(cached)} warm`] : []),
      ...(speed === undefined ? [] : [`${speed}`]),
      ...(left === undefined ? [] : [`${duration(left)} left`]),
    ]
  }
  if (pieces === 0 || writingSince === undefined) return []
  const speed = rate(pieces, (nowMs - writingSince) / 1000)
  return [`${count(pieces)} tokens${speed === undefined ? '' : ` at ${speed}`}`]
}
