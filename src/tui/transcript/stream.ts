/**
 * Markdown that is still being written. What cannot change any more is given out as finished lines, once; the rest is
 * the tail, drawn anew each frame. A long block is given out in parts, so that the tail stays smaller than the screen.
 */
import type { Token, Tokens } from 'marked'
import { emptyLine, type Line, plainText } from '../text/style.ts'
import { certainRows, essence, withoutGiven } from './given.ts'
import { blockLines, blocks, code, lex, type MarkdownOptions } from './markdown.ts'

export interface MarkdownStream {
  push(text: string): void
  /** Lines finished since the last call. A block with more than `tailRows` rows is given out as far as it is certain. */
  take(options: MarkdownOptions, tailRows: number): Line[]
  /** The unfinished rest, at most `rows` lines of its end. */
  tail(options: MarkdownOptions, rows: number): Line[]
  /** Everything that is left: nothing more comes. */
  end(options: MarkdownOptions): Line[]
  /** The first rows of the last tail have got into the scrollback (a smaller terminal pushed them there): this is their text. */
  pushedOut(text: string): void
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
  /** How much of the beginning of what is pending was given out already, see given.ts. */
  let given = 0
  /** Whether the last tail began where what was given out ends. */
  let adjoins = true

  const separator = (): Line[] => (gap && !(joined && !pending.startsWith('\n')) ? [emptyLine] : [])

  /** A block's lines without those that were given out, apart from what is before it. */
  const ungiven = (lines: readonly Line[]): Line[] =>
    given > 0 ? [...withoutGiven(lines, given).rows] : [...separator(), ...lines]

  const spaced = (lines: readonly Line[]): Line[] => {
    if (lines.length === 0) return []
    const rest = ungiven(lines)
    given = withoutGiven(lines, given).left
    gap = true
    joined = false
    return rest
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
    const fresh = withoutGiven(codeRows(body, open, options), given)
    if (body.length > 0) given = fresh.left
    open.context = [...open.context, ...body].slice(-contextLines)
    if (end >= 0) [fence, given] = [undefined, 0]
    pending = end >= 0 ? [...lines.slice(end + 1), ...(all ? [] : [rest])].join('\n') : all ? '' : rest
    return [...fresh.rows]
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
    if (tokens.some(({ type }) => type === 'space')) joined = false
    const rows = blockLines(last, options)
    if (rows.length <= tailRows && pending.length < longestPending) return lines
    const part = certainPart(last, pending)
    if (part === 0) return [...lines, ...takeRows(last, rows, tailRows)]
    lines.push(...spaced(blocks(lex(pending.slice(0, part)), options)))
    joined = last.type !== 'list' || !(last as Tokens.List).loose
    pending = pending.slice(part)
    return lines
  }

  /** Of one long block the rows that do not fit into the tail, once they cannot change any more. */
  const takeRows = (block: Token, all: readonly Line[], tailRows: number): Line[] => {
    const rest = ungiven(all)
    const count = Math.min(rest.length - Math.max(1, tailRows), certainOf(block, rest))
    if (count <= 0) return []
    const rows = rest.slice(0, count)
    given += essence(rows.map(plainText).join(''))
    return rows
  }

  return {
    push(text) {
      pending += text.replaceAll('\r\n', '\n')
    },
    take: (options, tailRows) => take(options, tailRows, false),
    end: (options) => take(options, 0, true),
    tail(options, rows) {
      if (rows <= 0 || pending === '') return []
      if (fence !== undefined) {
        const code = withoutGiven(codeRows([unindent(pending, fence.indent)], fence, options), given).rows
        adjoins = code.length <= rows
        return code.slice(-rows)
      }
      const tokens = lex(pending)
      const lines = ungiven(blocks(tokens, options))
      // What the next take gives out stands here until then, so that no row is skipped on its way to the scrollback.
      const over = lines.length - rows
      adjoins = over <= 0 || certainOf(tokens.at(-1), lines) >= over
      return adjoins ? lines.slice(0, rows) : lines.slice(-rows)
    },
    pushedOut(text) {
      // Rows between that were never shown would be lost: better twice than never.
      if (adjoins) given += essence(text)
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

/** How many rows stay as they are while the block grows: none of a table, whose columns get wider. */
const certainOf = (block: Token | undefined, rows: readonly Line[]): number =>
  block === undefined || block.type === 'table' || /^\s*\|/.test(block.raw) ? 0 : certainRows(rows)

/** How many characters of a long block can be given out: whole lines of a paragraph, whole items of a list. */
function certainPart(token: Token, source: string): number {
  if (token.type === 'list') {
    const items = (token as Tokens.List).items
    return items.slice(0, -1).reduce((sum, { raw }) => sum + raw.length, 0)
  }
  if (token.type === 'paragraph' || token.type === 'text' || source.length >= longestPending)
    return token.raw.lastIndexOf('\n') + 1
  return 0
}
