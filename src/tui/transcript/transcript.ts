/** What happened, as it is seen: events in, finished lines out once, and a live rest. Keeps nothing that was given out. */
import type { AgentEvent } from '../../../agent/index.ts'
import { duration, plural } from '../../terminal/numbers.ts'
import { emptyLine, type Line, line, linesOf, type Style, span } from '../text/style.ts'
import { wrap } from '../text/wrap.ts'
import { callHead, callLines, subject, under } from './call.ts'
import type { Highlight } from './highlight.ts'
import { draftLines, type Running, runningLines } from './live.ts'
import { markdown } from './markdown.ts'
import { resultLines } from './result.ts'
import { type MarkdownStream, openMarkdownStream } from './stream.ts'

/** Lines that are laid out when they are given out, to the width of that moment. */
export type Block = (width: number) => readonly Line[]

export interface TranscriptOptions {
  /** Whether reasoning stays in view when it is finished; it is always seen while it streams. */
  reasoning: 'shown' | 'folded'
  highlight?: Highlight | undefined
}

export interface Transcript {
  readonly options: TranscriptOptions
  apply(event: AgentEvent, nowMs: number): void
  /** Puts a block of our own behind all that is finished. */
  add(block: Block): void
  /** The change of this call was drawn when it was asked about. */
  changeSeen(callId: string): void
  /** A message of the user, as sent. */
  addUser(text: string): void
  /** Lines finished since the last call, for a scrollback of this width; `rows` is how long the live rest may be. */
  take(width: number, rows: number): Line[]
  /** The live rest, at most `rows` lines. */
  live(width: number, rows: number): Line[]
  /** The first of the live rows, by their text, have got into the scrollback: a smaller terminal pushed them there. */
  pushedOut(text: string): void
  /** Ends what is still open (a run that was left). */
  settle(): void
  /** Whether a text is being written: what is added now stands in the middle of it. */
  readonly streaming: boolean
  /** The last answer's text, for /copy. */
  readonly answer: string
  /** The last reasoning, for unfolding after the fact. */
  readonly reasoning: string
}

/** Output of a running command that is kept for the live view. */
const keptOutput = 8000
const keptText = 100_000
/** Of reasoning that is not kept in view: what of its end is seen while it streams. */
const foldedRows = 4
const foldedChars = 2000

const failing: Style = { role: 'error' }
const muted: Style = { role: 'muted' }

export function openTranscript(options: TranscriptOptions): Transcript {
  let finished: Block[] = []
  let open: { readonly kind: 'text' | 'reasoning'; readonly stream: MarkdownStream; readonly since: number } | undefined
  /** What streams in the live rows that were drawn last; it may have ended since. */
  let drawn: MarkdownStream | undefined
  let draft: { readonly name: string; readonly path: string | undefined; text: string } | undefined
  const running = new Map<string, Running>()
  const seenChanges = new Set<string>()
  let answer = ''
  let reasoning = ''
  let anything = false

  /** A blank line before it, unless it is the very first. */
  const apart =
    (block: Block): Block =>
    (width) => {
      const lines = block(width)
      if (lines.length === 0) return lines
      const first = anything ? [emptyLine] : []
      anything = true
      return [...first, ...lines]
    }

  const add = (block: Block): void => {
    finished.push(apart(block))
  }

  const stream = (kind: 'text' | 'reasoning', text: string, nowMs: number): void => {
    if (open?.kind !== kind) {
      if (text.trim() === '') return
      close(nowMs)
      if (kind === 'reasoning') reasoning = ''
      else answer = ''
      open = { kind, stream: openMarkdownStream(), since: nowMs }
      finished.push(() => {
        const first = anything ? [emptyLine] : []
        anything = true
        return first
      })
    }
    open.stream.push(text)
    if (kind === 'reasoning') reasoning = (reasoning + text).slice(-keptText)
    else answer = (answer + text).slice(-keptText)
  }

  /** Ends the text that streams: what is left of it becomes a block. */
  const close = (nowMs: number): void => {
    if (open === undefined) return
    const { kind, stream: ended, since } = open
    open = undefined
    if (kind === 'text') finished.push((width) => ended.end({ width, highlight: options.highlight }))
    else if (options.reasoning === 'shown') finished.push((width) => dimmed(ended.end({ width: width - 2 })))
    else {
      const words = folded(reasoning, (nowMs - since) / 1000)
      finished.push(() => [words])
    }
  }

  const apply = (event: AgentEvent, nowMs: number): void => {
    if (event.type !== 'text' && event.type !== 'reasoning' && event.type !== 'prefill') close(nowMs)
    if (event.type !== 'call-delta' && event.type !== 'prefill') draft = undefined
    switch (event.type) {
      case 'session':
      case 'step':
      case 'prefill':
      case 'usage':
      case 'approval': // asked in view, or told by the result of the call
        return
      case 'text':
      case 'reasoning':
        stream(event.type, event.text, nowMs)
        return
      case 'call-start':
        draft = { name: event.name, path: event.path, text: '' }
        return
      case 'call-delta':
        if (draft !== undefined) draft.text = (draft.text + event.text).slice(-keptOutput)
        return
      case 'call':
        running.set(event.call.id, { call: event.call, about: subject(event.call, event.effects), output: '' })
        return
      case 'output': {
        const call = running.get(event.callId)
        if (call !== undefined) call.output = (call.output + event.text).slice(-keptOutput)
        return
      }
      case 'tool-result': {
        const call = running.get(event.callId)
        running.delete(event.callId)
        const { name, result, seconds } = event
        const seen = seenChanges.delete(event.callId)
        add((width) => callLines({ name, about: call?.about ?? '', result, seconds, seen }, width))
        return
      }
      case 'malformed':
        add((width) => [
          ...callHead('unreadable call', event.problem, width, failing),
          ...under(
            linesOf(event.text, muted)
              .slice(0, 4)
              .flatMap((one) => wrap(one, width - 4)),
          ),
        ])
        return
      case 'notice': {
        const style: Style = event.level === 'info' ? muted : { role: event.level }
        const mark = event.level === 'info' ? '· ' : event.level === 'warning' ? '! ' : '✗ '
        add((width) => linesOf(mark + event.text, style).flatMap((one) => wrap(one, width, { hang: [span('  ')] })))
        return
      }
      case 'result':
        settle(nowMs)
        add((width) => resultLines(event, width))
        return
    }
  }

  const settle = (nowMs: number): void => {
    close(nowMs)
    draft = undefined
    for (const { call, about } of running.values())
      add((width) => [...callHead(call.name, about, width, failing), ...under([line('interrupted', failing)])])
    running.clear()
  }

  return {
    options,
    apply,
    add,
    changeSeen: (callId) => void seenChanges.add(callId),
    addUser: (text) => add((width) => userLines(text, width)),
    settle: () => settle(Date.now()),
    take(width, rows) {
      const blocks = finished
      finished = []
      const lines = blocks.flatMap((block) => block(width))
      if (open?.kind === 'text') lines.push(...open.stream.take({ width, highlight: options.highlight }, rows))
      else if (open?.kind === 'reasoning' && options.reasoning === 'shown')
        lines.push(...dimmed(open.stream.take({ width: width - 2 }, rows)))
      return lines
    },
    live(width, rows) {
      drawn = open?.kind === 'text' || options.reasoning === 'shown' ? open?.stream : undefined
      if (rows <= 0) return []
      if (open?.kind === 'text') return open.stream.tail({ width, highlight: options.highlight }, rows)
      if (open?.kind === 'reasoning') {
        if (options.reasoning === 'shown') return dimmed(open.stream.tail({ width: width - 2 }, rows))
        // It stays out of the scrollback: only its end is laid out, however long it gets.
        return dimmed(markdown(reasoning.slice(-foldedChars), { width: width - 2 }).slice(-Math.min(rows, foldedRows)))
      }
      const lines =
        draft === undefined ? runningLines([...running.values()], width, rows - 1) : draftLines(draft, width, rows - 1)
      return lines.length > 0 && anything ? [emptyLine, ...lines] : lines
    },
    pushedOut(text) {
      drawn?.pushedOut(text)
    },
    get streaming() {
      return open !== undefined
    },
    get answer() {
      return answer
    },
    get reasoning() {
      return reasoning
    },
  }
}

function userLines(text: string, width: number): Line[] {
  const mark = span('› ', { role: 'user', bold: true })
  const hang = span('  ')
  return linesOf(text, { role: 'user' }).flatMap((one, n) =>
    wrap([n === 0 ? mark : hang, ...one], width, { hang: [hang] }),
  )
}

/** Reasoning is set in and dimmed: it is not the answer, with colours or without. */
function dimmed(lines: readonly Line[]): Line[] {
  return lines.map((one) => [
    span('┊ ', { dim: true }),
    ...one.map(({ text, style }) => ({ text, style: { ...style, dim: true } })),
  ])
}

function folded(reasoning: string, seconds: number): Line {
  const words = reasoning.split(/\s+/).filter((word) => word !== '').length
  // Of an earlier session the time is not known.
  const time = seconds < 0.05 ? '' : ` for ${duration(seconds)}`
  return line(`┊ thought${time}, ${plural(words, 'word')} (Ctrl-O shows it)`, { dim: true })
}

/** The reasoning of before, in full. */
export const unfolded = (reasoning: string, width: number): Line[] => dimmed(markdown(reasoning, { width: width - 2 }))
