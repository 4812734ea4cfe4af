/** Syntax colours by highlight.js grammars (through lowlight). Loaded only when the first code is shown. */
import { common, createLowlight } from 'lowlight'
import { type Line, type Role, type Span, type Style, span, unstyled } from '../text/style.ts'

/** Code to one styled line a source line; undefined for a language that is not known. */
export type Highlight = (source: string, language: string) => Line[] | undefined

/** Scopes of highlight.js (its documentation, "CSS classes reference") to our roles. */
const roles: Readonly<Record<string, Role>> = {
  keyword: 'keyword',
  built_in: 'type',
  type: 'type',
  literal: 'number',
  number: 'number',
  operator: 'keyword',
  string: 'string',
  regexp: 'string',
  char: 'string',
  subst: 'string',
  symbol: 'number',
  title: 'title',
  section: 'title',
  comment: 'comment',
  doctag: 'comment',
  quote: 'comment',
  meta: 'attribute',
  tag: 'keyword',
  name: 'keyword',
  attr: 'attribute',
  attribute: 'attribute',
  property: 'attribute',
  variable: 'attribute',
  'selector-tag': 'keyword',
  'selector-class': 'title',
  'selector-id': 'title',
  addition: 'added',
  deletion: 'removed',
}

const styles = new Map<Role, Style>()
const styleOf = (role: Role): Style => {
  const known = styles.get(role) ?? (role === 'comment' ? { role, italic: true } : { role })
  styles.set(role, known)
  return known
}

type Root = ReturnType<ReturnType<typeof createLowlight>['highlight']>
type Nodes = Root | Root['children'][number]

/** Longest source that is coloured: beyond it the time is felt. */
const longest = 200_000

export function openHighlight(): Highlight {
  const lowlight = createLowlight(common)
  return (source, language) => {
    const name =
      language
        .trim()
        .split(/[\s{,:]/)[0]
        ?.toLowerCase() ?? ''
    if (name === '' || source.length > longest || !lowlight.registered(name)) return undefined
    const lines: Span[][] = [[]]
    collect(lowlight.highlight(name, source), unstyled, lines)
    return lines
  }
}

function collect(node: Nodes, style: Style, lines: Span[][]): void {
  if (node.type === 'text') {
    node.value.split('\n').forEach((part, n) => {
      if (n > 0) lines.push([])
      if (part !== '') lines.at(-1)?.push(span(part, style))
    })
    return
  }
  if (node.type !== 'element' && node.type !== 'root') return
  for (const child of node.children)
    collect(child, node.type === 'element' ? scoped(node.properties, style) : style, lines)
}

function scoped(properties: { readonly className?: unknown }, style: Style): Style {
  const classes = Array.isArray(properties.className) ? properties.className : []
  for (const name of classes) {
    const role = typeof name === 'string' ? roles[name.replace(/^hljs-/, '').replace(/_$/, '')] : undefined
    if (role !== undefined) return styleOf(role)
  }
  return style
}
