/**
 * Markdown that is still being written. What cannot change any more is given out as finished lines, once; the rest is
 * the tail, drawn anew each frame. A long block is given out in parts, so that the tail stays smaller than the screen.
 */
import type { Token, Tokens } from 'marked'
import { emptyLine, type Line } from '../text/style.ts'
import { blockLines, blocks, code, lex, type MarkdownOptions } from './markdown.ts'

export interface MarkdownStream {
  push(text: string): void
  /** Lines finished since the last call. A block with more than `tailRows` rows is given out as far as it is certain. */
  take(options: MarkdownOptions, tailRows: number): Line[]
  /** The unfinished rest, at most `rows` lines of its end. */
  tail(options: MarkdownOptions, rows: number): Line[]
  /** Everything that is left: nothing more comes. */
  end(options: MarkdownOptions): Line[]
}

/** A code fence at the top level: up to three spaces, three or more marks (CommonMark 4.5). */
const fenceStart = /^( {0,3})(`{3,}(?!.*`)|~{3,})[ \t]*([^\n]*)\n/m
/** Source lines before new code that are highlighted with it, so that strings and comments over lines keep their colour. */
const contextLines = 60
/** Above this, a block without a certain end is given out by its lines: the lexer's time grows with it. */
const longestPending = 16_000

interface Fence {
  readonly end: RegExp
  readonly indent: number
  readonly language: string
  context: string[]
}

export function openMarkdownStream(): MarkdownStream {
  let pending = ''
  let fence: Fence | undefined
  /** Whether something was given out that the next block must stand apart from. */
  let gap = false
  /** Whether what is pending goes on with the block that was given out in part. */
  let joined = false

  const separator = (): Line[] => (gap && !(joined && !pending.startsWith('\n')) ? [emptyLine] : [])

  const spaced = (lines: readonly Line[]): Line[] => {
    if (lines.length === 0) return []
    const first = separator()
    gap = true
    joined = false
    return [...first, ...lines]
  }

  const codeRows = (lines: readonly string[], { context, language }: Fence, options: MarkdownOptions): Line[] => {
    if (lines.length === 0) return []
    const all = code([...context, ...lines].join('\n'), language, options)
    const before = context.length === 0 ? 0 : code(context.join('\n'), language, { width: options.width }).length
    return all.slice(before)
  }

  /** Whole lines of code that are here, up to the fence's end. */
  const takeCode = (open: Fence, options: MarkdownOptions, all: boolean): Line[] => {
    const lines = pending.split('\n')
    const rest = lines.pop() ?? ''
    if (all && rest !== '') lines.push(rest)
    const end = lines.findIndex((one) => open.end.test(one))
    const body = (end < 0 ? lines : lines.slice(0, end)).map((one) => unindent(one, open.indent))
    const rows = codeRows(body, open, options)
    open.context = [...open.context, ...body].slice(-contextLines)
    if (end >= 0) fence = undefined
    pending = end >= 0 ? [...lines.slice(end + 1), ...(all ? [] : [rest])].join('\n') : all ? '' : rest
    return rows
  }

  const takeBlocks = (source: string, options: MarkdownOptions): Line[] =>
    lex(source).flatMap((token) => spaced(blockLines(token, options)))

  const take = (options: MarkdownOptions, tailRows: number, all: boolean): Line[] => {
    const lines: Line[] = []
    for (;;) {
      if (fence !== undefined) {
        lines.push(...takeCode(fence, options, all))
        if (fence !== undefined || pending === '') return lines
        continue
      }
      const start = fenceStart.exec(pending)
      if (start !== null) {
        lines.push(...takeBlocks(pending.slice(0, start.index), options))
        if (gap) lines.push(emptyLine)
        ;[gap, joined] = [true, false]
        fence = openFence(start)
        pending = pending.slice(start.index + start[0].length)
        continue
      }
      if (all) {
        lines.push(...takeBlocks(pending, options))
        pending = ''
        return lines
      }
      return [...lines, ...takeCertain(options, tailRows)]
    }
  }

  /** All blocks but the last are certain; of a last one that is long, its first part. */
  const takeCertain = (options: MarkdownOptions, tailRows: number): Line[] => {
    const tokens = lex(pending)
    while (tokens.at(-1)?.type === 'space') tokens.pop()
    const last = tokens.pop()
    if (last === undefined) return []
    const lines = tokens.flatMap((token) => spaced(blockLines(token, options)))
    const offset = tokens.reduce((sum, { raw }) => sum + raw.length, 0)
    pending = pending.slice(offset)
    if (blockLines(last, options).length <= tailRows && pending.length < longestPending) return lines
    const part = certainPart(last, pending)
    if (part === 0) return lines
    lines.push(...spaced(blocks(lex(pending.slice(0, part)), options)))
    joined = last.type !== 'list' || !(last as Tokens.List).loose
    pending = pending.slice(part)
    return lines
  }

  return {
    push(text) {
      pending += text.replaceAll('\r\n', '\n')
    },
    take: (options, tailRows) => take(options, tailRows, false),
    end: (options) => take(options, 0, true),
    tail(options, rows) {
      if (rows <= 0 || pending === '') return []
      if (fence !== undefined) return codeRows([unindent(pending, fence.indent)], fence, options).slice(-rows)
      const lines = blocks(lex(pending), options)
      return [...separator(), ...lines].slice(-rows)
    },
  }
}

function openFence([, indent = '', marks = '', info = '']: RegExpExecArray): Fence {
  return {
    end: new RegExp(`^ {0,3}\\${marks[0]}{${marks.length},}[ \\t]*$`),
    indent: indent.length,
    language: info.trim(),
    context: [],
  }
}

const unindent = (text: string, indent: number): string => text.replace(new RegExp(`^ {0,${indent}}`), '')

/** How many characters of a long block can be given out: whole lines of a paragraph, whole items of a list. */
function certainPart(token: Token, source: string): number {
  if (token.type === 'list') {
    const items = (token as Tokens.List).items
    return items.slice(0, -1).reduce((sum, { raw }) => sum + raw.length, 0)
  }
  if (token.type === 'paragraph' || token.type === 'text' || source.length >= longestPending)
    return source.lastIndexOf('\n') + 1
  return 0
}
