/** Inline markdown (emphasis, code, links) as spans; line breaks in the source stay line breaks. */
import type { Token, Tokens } from 'marked'
import { type Line, type Span, type Style, span, unstyled } from '../text/style.ts'

/** The tokens as source lines of spans, not yet broken to a width. */
export function inline(tokens: readonly Token[] | undefined, style: Style = unstyled): Line[] {
  const lines: Span[][] = [[]]
  for (const token of tokens ?? []) add(lines, token, style)
  return lines
}

function add(lines: Span[][], token: Token, style: Style): void {
  const nested = (deeper: Style): void => {
    for (const child of (token as Tokens.Generic).tokens ?? []) add(lines, child, deeper)
  }
  switch (token.type) {
    case 'strong':
      nested({ ...style, bold: true })
      break
    case 'em':
      nested({ ...style, italic: true })
      break
    case 'del':
      nested({ ...style, strike: true })
      break
    case 'codespan':
      put(lines, (token as Tokens.Codespan).text, { ...style, role: 'code' })
      break
    case 'br':
      lines.push([])
      break
    case 'link':
      link(lines, token as Tokens.Link, style, nested)
      break
    case 'image': {
      const { text, href } = token as Tokens.Image
      put(lines, `[image: ${text}] (${href})`, { ...style, role: 'link' })
      break
    }
    case 'text':
    case 'escape': {
      const { tokens, text } = token as Tokens.Text
      if (tokens === undefined) put(lines, text, style)
      else nested(style)
      break
    }
    default:
      put(lines, token.raw, style)
  }
}

/** The words of a link, and behind them where it leads: a person sees the address before a click. */
function link(lines: Span[][], token: Tokens.Link, style: Style, nested: (style: Style) => void): void {
  nested({ ...style, role: 'link', underline: true })
  const shown = token.href.replace(/^mailto:/, '')
  if (token.text !== shown && token.text !== token.href) put(lines, ` (${token.href})`, { ...style, role: 'muted' })
}

function put(lines: Span[][], text: string, style: Style): void {
  text.split('\n').forEach((part, n) => {
    if (n > 0) lines.push([])
    if (part !== '') lines.at(-1)?.push(span(part, style))
  })
}
