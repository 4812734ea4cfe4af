/** Styled text before it has colours: what a span means, not how it looks. */
import { sanitize } from '../../terminal/sanitize.ts'
import { widthOf } from './width.ts'

/** What a span is; a theme gives each a colour. Meaning is never carried by colour alone: words or marks say the same. */
export type Role =
  | 'accent'
  | 'muted'
  | 'user'
  | 'ok'
  | 'error'
  | 'warning'
  | 'added'
  | 'removed'
  | 'heading'
  | 'link'
  | 'code'
  | 'keyword'
  | 'string'
  | 'number'
  | 'comment'
  | 'title'
  | 'type'
  | 'attribute'

export interface Style {
  readonly role?: Role
  readonly bold?: boolean
  readonly dim?: boolean
  readonly italic?: boolean
  readonly underline?: boolean
  readonly strike?: boolean
  readonly inverse?: boolean
}

export interface Span {
  /** Safe for a terminal: no control characters, no line breaks. */
  readonly text: string
  readonly style: Style
}

/** One screen line. */
export type Line = readonly Span[]

export const unstyled: Style = {}

/** A span of text that is not ours: made safe, on one line, tabs as two spaces. */
export function span(text: string, style: Style = unstyled): Span {
  return { text: flat(text), style }
}

/** A line of one span. */
export const line = (text: string, style: Style = unstyled): Line => [span(text, style)]

export const emptyLine: Line = []

export const lineWidth = (spans: Line): number => spans.reduce((sum, { text }) => sum + widthOf(text), 0)

export const plainText = (spans: Line): string => spans.map(({ text }) => text).join('')

/** Lines of a text that is not ours, each safe; one last line break is not a line. */
export function linesOf(text: string, style: Style = unstyled): Line[] {
  return text
    .replace(/\r?\n$/, '')
    .split(/\r?\n/)
    .map((one) => [span(expandTabs(one), style)])
}

/** Tabs as spaces up to the next stop of four columns (ASCII columns: indentation is what matters). */
export function expandTabs(text: string): string {
  if (!text.includes('\t')) return text
  let out = ''
  for (const char of text) out += char === '\t' ? ' '.repeat(4 - (out.length % 4)) : char
  return out
}

const simple = /^[\x20-\x7e]*$/

function flat(text: string): string {
  return simple.test(text) ? text : sanitize(text).replaceAll('\n', '␊').replaceAll('\t', '  ')
}
