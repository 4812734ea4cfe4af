import type { AgentEvent } from '../../agent/index.ts'
import { paintDiff } from '../terminal/diff.ts'
import { bar, count, duration, rate } from '../terminal/numbers.ts'
import { sanitize, sanitizeLine } from '../terminal/sanitize.ts'
import type { Screen } from '../terminal/screen.ts'
import { type CommandOutput, commandOutput } from './command-output.ts'
import type { Output, RunResult } from './output.ts'
import { checkLine, summaryLine } from './summary.ts'
import { toolLine } from './tool-line.ts'

/** The run as a person reads it, streamed. */
export function textOutput(screen: Screen): Output {
  const { style } = screen
  /** What stands last on the screen: between blocks of different kinds comes an empty line. */
  let block: 'nothing' | 'reasoning' | 'text' | 'calls' | 'end' = 'nothing'
  let running: CommandOutput | undefined
  let words = ''
  let writing = { what: '', characters: 0, since: 0 }
  let readingSince = 0

  const begin = (next: typeof block): void => {
    if (block === next) return
    screen.freshLine()
    if (block !== 'nothing') screen.write('\n')
    block = next
  }
  const line = (text: string): void => {
    screen.freshLine()
    screen.write(`${text}\n`)
  }
  const outputLine = (text: string): void => line(style.dim(`  │ ${text}`))

  function draw(event: AgentEvent): void {
    switch (event.type) {
      case 'session':
        screen.note(`${event.model.name} · sandbox ${event.sandbox} · ${event.cwd}`)
        return
      case 'step':
        // What two replies say are two paragraphs, also where no call stands between them.
        if (block === 'text') block = 'calls'
        words = ''
        readingSince = performance.now()
        return
      case 'prefill':
        screen.status(reading(event, readingSince))
        return
      case 'reasoning':
        begin('reasoning')
        screen.write(style.dim(sanitize(event.text)))
        return
      case 'text':
        begin('text')
        words += event.text
        screen.write(sanitize(event.text))
        return
      case 'call-start':
        screen.freshLine()
        writing = { what: event.path ?? event.name, characters: 0, since: performance.now() }
        return
      case 'call-delta':
        writing.characters += event.text.length
        screen.status(`writing ${writing.what} · ${count(writing.characters)} characters`)
        return
      case 'call':
        begin('calls')
        for (const effect of event.effects) {
          if (effect.kind === 'run') line(`${style.bold('$')} ${firstLine(effect.command)}`)
        }
        running = undefined
        return
      case 'output':
        running ??= commandOutput(outputLine, (text) => screen.status(`  │ ${text}`))
        running.push(event.text)
        return
      case 'tool-result':
        begin('calls')
        running?.end()
        running = undefined
        line(toolLine(event, style))
        return
      case 'malformed':
        begin('calls')
        line(`${style.red('✗')} unreadable call: ${sanitizeLine(event.problem)}`)
        return
      case 'usage':
      case 'approval': // the result of the call says it
        return
      case 'notice':
        screen.note(`cachalot: ${event.level === 'info' ? '' : `${event.level}: `}${event.text}`)
        return
      case 'result':
        running?.end()
        result(event)
        return
      default:
        unreachable(event)
    }
  }

  function result(event: RunResult): void {
    screen.status(undefined)
    for (const change of event.changes) {
      block = block === 'nothing' ? 'nothing' : 'calls'
      begin('end')
      line(
        change.diff === undefined
          ? style.bold(`${change.kind}: ${sanitizeLine(change.path)} (binary)`)
          : paintDiff(change.diff, style),
      )
    }
    for (const { path, diff } of event.planned ?? []) {
      block = block === 'nothing' ? 'nothing' : 'calls'
      begin('end')
      line(style.bold(`would change ${sanitizeLine(path)}`))
      if (diff !== undefined && diff !== '') line(paintDiff(diff, style))
    }
    // The last words were streamed already; a reason to end that is not among them is said here.
    const why = event.text.trim()
    if (why !== '' && !words.trim().endsWith(why)) {
      if (event.exit === 'done') {
        block = block === 'nothing' ? 'nothing' : 'calls'
        begin('text')
        line(sanitize(why))
      } else {
        screen.note(`cachalot: ${why}`)
      }
    }
    screen.freshLine()
    if (block !== 'nothing') screen.write('\n')
    for (const check of event.checks) line(checkLine(check, style))
    if (event.checks.length === 0 && event.changes.length > 0) line(style.dim('– nothing was checked'))
    line(summaryLine(event, style))
  }

  return { event: draw, status: (text) => screen.status(text) }
}

function reading(event: Extract<AgentEvent, { type: 'prefill' }>, since: number): string {
  const seconds = (performance.now() - since) / 1000
  const fresh = event.done - event.cached
  const speed = rate(fresh, seconds)
  const left = fresh > 0 ? ` · ${duration(((event.total - event.done) * seconds) / fresh)} left` : ''
  return `reading ${bar(event.total === 0 ? 1 : event.done / event.total)} ${count(event.done)} / ${count(event.total)} tokens${speed === undefined ? '' : ` · ${speed}${left}`}`
}

function firstLine(command: string): string {
  const lines = command.trim().split('\n')
  return `${sanitizeLine(lines[0] ?? '')}${lines.length > 1 ? ` … (+${lines.length - 1} lines)` : ''}`
}

function unreachable(event: never): never {
  throw new Error(`unknown event: ${JSON.stringify(event)}`)
}
