/** A tool call and its outcome as screen lines. */
import type { ToolCall } from '../../../engine/index.ts'
import type { Effect, TextChange, ToolResult } from '../../../tools/index.ts'
import { duration, plural } from '../../terminal/numbers.ts'
import { type Line, line, linesOf, type Span, type Style, span } from '../text/style.ts'
import { wrap } from '../text/wrap.ts'
import { changeLines, countChange } from './diff.ts'

/** Tools of ours that are about a word and no place: the argument that has it. */
const askedBy: ReadonlyMap<string, string> = new Map([
  ['explore', 'question'],
  ['symbols', 'name'],
  ['recall', 'id'],
])

/** What a call is about, in a few words: the command, the path, the pattern, the question. */
export function subject(call: ToolCall, effects: readonly Effect[]): string {
  const command = effects.find((effect) => effect.kind === 'run')
  if (command !== undefined) return command.command
  const key = askedBy.get(call.name)
  if (key !== undefined) return argument(call, key) ?? ''
  const paths = [...new Set(effects.flatMap((effect) => ('path' in effect ? [effect.path] : [])))]
  const pattern = argument(call, 'pattern') ?? argument(call, 'query')
  return [...(pattern === undefined ? [] : [JSON.stringify(pattern)]), ...paths].join(' ')
}

/** An argument of a call when it is text: arguments are what the model wrote, of any shape. */
export function argument(call: ToolCall, name: string): string | undefined {
  const given = call.arguments
  if (typeof given !== 'object' || given === null || !(name in given)) return undefined
  const value = (given as Readonly<Record<string, unknown>>)[name]
  return typeof value === 'string' ? value : undefined
}

const branch = span('  ⎿ ', { role: 'muted' })
const indent = span('    ')

/** Lines under a call, joined to it. */
export const under = (lines: readonly Line[]): Line[] => lines.map((one, n) => [n === 0 ? branch : indent, ...one])

/** `● shell npm test`: what is being done, on at most three rows. */
export function callHead(name: string, about: string, width: number, style: Style): Line[] {
  const [first = '', ...more] = about.split('\n')
  const rest = more.length > 0 ? ` ⏎ +${plural(more.length, 'line')}` : ''
  const head: Span[] = [span('● ', style), span(name, { bold: true }), span(first === '' ? '' : ` ${first}${rest}`)]
  const rows = wrap(head, width, { hang: [span('  ')] })
  return rows.length <= 3 ? rows : [...rows.slice(0, 2), [span('  … '), ...(rows.at(-1) ?? [])]]
}

export interface CallView {
  readonly name: string
  readonly about: string
  readonly result: ToolResult
  readonly seconds: number
  /** The change stands just above, where it was asked about: it is named, not drawn again. */
  readonly seen?: boolean
}

/** A finished call: what was done, then what came of it. */
export function callLines({ name, about, result, seconds, seen = false }: CallView, width: number): Line[] {
  const style: Style = result.ok ? { role: 'ok' } : { role: 'error' }
  const { details } = result
  if (seen && (details.kind === 'change' || details.kind === 'changes')) {
    const files = details.kind === 'change' ? [details] : details.files
    return [...callHead(name, about, width, style), ...under(files.map(changeHead))]
  }
  return [...callHead(name, about, width, style), ...under(outcome(name, result, seconds, Math.max(8, width - 4)))]
}

function outcome(name: string, { ok, content, details }: ToolResult, seconds: number, width: number): Line[] {
  // What came of an exploration is its answer, and nothing else of it is shown anywhere.
  if (name === 'explore' && ok) return outputLines(content, width)
  switch (details.kind) {
    case 'read':
      return [line(`lines ${details.fromLine}–${details.toLine} of ${details.totalLines}`, { role: 'muted' })]
    case 'change':
      return changed([details], width)
    case 'changes':
      return changed(details.files, width)
    case 'command':
      return command(details, width)
    case 'list':
      if (name === 'recall') return [line(plural(details.entries, 'line'), { role: 'muted' })]
      return [line(details.entries === 1 ? '1 entry' : `${details.entries} entries`, { role: 'muted' })]
    case 'search':
      return [line(details.matches === 1 ? '1 match' : `${details.matches} matches`, { role: 'muted' })]
    case 'call': {
      const shown = details.text.split('\n').slice(0, 6).join('\n')
      return linesOf(shown, { role: 'muted' }).flatMap((one) => wrap(one, width))
    }
    case 'failure': {
      const first = content.split('\n').slice(0, 6).join('\n')
      // Its time is that of the answer, not of work.
      if (details.reason === 'denied') return linesOf(first, { role: 'warning' }).flatMap((one) => wrap(one, width))
      const style: Style = { role: ok ? 'muted' : 'error' }
      const spent = seconds >= 1 ? ` (${duration(seconds)})` : ''
      return linesOf(`failed, ${details.reason}${spent}: ${first}`, style).flatMap((one) => wrap(one, width))
    }
  }
}

function changed(files: readonly TextChange[], width: number): Line[] {
  return files.flatMap((file) => [changeHead(file), ...changeLines(file, { width, limit: 120 })])
}

/** `changed a.ts +3 −1`. */
export function changeHead(file: TextChange): Line {
  const { added, removed } = countChange(file)
  const what = file.before === null ? 'new' : file.after === null ? 'deleted' : 'changed'
  return [
    span(`${what} ${file.path} `),
    span(`+${added}`, { role: 'added' }),
    span(' '),
    span(`−${removed}`, { role: 'removed' }),
  ]
}

/** Output lines of a command that are shown; the rest is folded in the middle. */
const headLines = 4
const tailLines = 12

function command(details: Extract<ToolResult['details'], { kind: 'command' }>, width: number): Line[] {
  const ends = {
    exited: `exit code ${details.exitCode}`,
    signalled: `killed, exit code ${details.exitCode}`,
    'timed-out': 'stopped: it took too long',
    aborted: 'stopped',
    running: 'goes on in the background',
  }
  const fine = details.outcome === 'running' || (details.outcome === 'exited' && details.exitCode === 0)
  const end = line(`${ends[details.outcome]} · ${duration(details.seconds)}`, { role: fine ? 'muted' : 'error' })
  return [...outputLines(details.output, width), end]
}

/** Output folded in the middle to what can be taken in at a glance. */
export function outputLines(output: string, width: number): Line[] {
  if (output.trim() === '') return []
  const lines = linesOf(output)
  const hidden = lines.length - headLines - tailLines
  const shown =
    hidden <= 1
      ? lines
      : [...lines.slice(0, headLines), line(`⋯ ${hidden} more lines`, { role: 'muted' }), ...lines.slice(-tailLines)]
  return shown.flatMap((one) => {
    const rows = wrap(one, width, { hard: true })
    return rows.length <= 3
      ? rows
      : [...rows.slice(0, 2), line(`⋯ ${rows.length - 2} more rows of this line`, { role: 'muted' })]
  })
}
