/** Markdown as screen lines: the block structure by marked's lexer, laid out to a width. */
import { marked, type Token, type Tokens } from 'marked'
import { emptyLine, expandTabs, type Line, line, linesOf, type Span, span } from '../text/style.ts'
import { wrap } from '../text/wrap.ts'
import type { Highlight } from './highlight.ts'
import { inline } from './inline.ts'
import { table } from './table.ts'

export interface MarkdownOptions {
  readonly width: number
  /** Absent until the highlighter is loaded: code is then shown plain. */
  readonly highlight?: Highlight | undefined
}

/** The top-level tokens of a text. `raw` of all of them in order is the text again. */
export const lex = (source: string): Token[] => marked.lexer(source, { gfm: true, breaks: true })

/** A whole text as lines, blocks a blank line apart. */
export function markdown(source: string, options: MarkdownOptions): Line[] {
  return blocks(lex(source), options)
}

export function blocks(tokens: readonly Token[], options: MarkdownOptions): Line[] {
  const lines: Line[] = []
  for (const token of tokens) {
    const block = blockLines(token, options)
    if (block.length === 0) continue
    if (lines.length > 0) lines.push(emptyLine)
    lines.push(...block)
  }
  return lines
}

/** One block; nothing for what is invisible (blank space, link definitions). */
export function blockLines(token: Token, options: MarkdownOptions): Line[] {
  switch (token.type) {
    case 'space':
    case 'def':
      return []
    case 'heading': {
      const { tokens, depth } = token as Tokens.Heading
      const style = { role: 'heading', bold: true, underline: depth === 1 } as const
      return fill(inline(tokens, style), options)
    }
    case 'code': {
      const { text, lang } = token as Tokens.Code
      return code(text, lang ?? '', options)
    }
    case 'blockquote':
      return quote(token as Tokens.Blockquote, options)
    case 'list':
      return list(token as Tokens.List, options)
    case 'table':
      return table(token as Tokens.Table, options.width)
    case 'hr':
      return [line('─'.repeat(Math.min(options.width, 40)), { role: 'muted' })]
    case 'paragraph':
      return fill(inline((token as Tokens.Paragraph).tokens), options)
    case 'text': {
      const { tokens, text } = token as Tokens.Text
      return fill(tokens === undefined ? linesOf(text) : inline(tokens), options)
    }
    default:
      return fill(linesOf(token.raw), options)
  }
}

const fill = (lines: readonly Line[], { width }: MarkdownOptions): Line[] => lines.flatMap((one) => wrap(one, width))

/** Before each line of code: set in, so that it stands apart without colour too. */
export const codeIndent: Span = span('  ')

export function code(text: string, language: string, { width, highlight }: MarkdownOptions): Line[] {
  const source = expandTabs(text)
  const lines = highlight?.(source, language) ?? source.split('\n').map((one) => line(one))
  return lines.flatMap((one) => wrap([codeIndent, ...one], width, { hard: true, hang: [codeIndent] }))
}

function quote({ tokens }: Tokens.Blockquote, options: MarkdownOptions): Line[] {
  const bar = span('│ ', { role: 'muted' })
  const inner = blocks(tokens ?? [], { ...options, width: Math.max(8, options.width - 2) })
  return inner.map((one) => [bar, ...one.map(({ text, style }) => ({ text, style: { ...style, italic: true } }))])
}

function list({ items, ordered, start, loose }: Tokens.List, options: MarkdownOptions): Line[] {
  const first = typeof start === 'number' ? start : 1
  const lastNumber = String(first + items.length - 1)
  const lines: Line[] = []
  items.forEach((item, n) => {
    const box = item.task ? (item.checked ? '[x] ' : '[ ] ') : ''
    const bullet = ordered ? `${String(first + n).padStart(lastNumber.length)}. ` : '• '
    const mark = span(bullet + box, { role: 'accent' })
    const indent = span(' '.repeat(mark.text.length))
    const inner = { ...options, width: Math.max(8, options.width - mark.text.length) }
    const content = item.tokens.filter(({ type }) => type !== 'checkbox')
    const body = loose ? blocks(content, inner) : content.flatMap((token) => blockLines(token, inner))
    if (loose && n > 0) lines.push(emptyLine)
    lines.push(...(body.length === 0 ? [emptyLine] : body).map((one, row) => [row === 0 ? mark : indent, ...one]))
  })
  return lines
}
