/** Before a call that needs a yes: what exactly will happen, and the rule by which it could be allowed from now on. */
import type { ApprovalRequest } from '../../agent/index.ts'
import type { Effect, TextChange } from '../../tools/index.ts'
import { emptyLine, expandTabs, type Line, line, type Span, span } from './text/style.ts'
import { wrap } from './text/wrap.ts'
import { changeHead } from './transcript/call.ts'
import { changeLines } from './transcript/diff.ts'

/** What is allowed for the rest of the session: exactly this effect. */
export type Rule = Exclude<Effect, { kind: 'read' }>

/** The rules that together would let the request pass. Exact on purpose: a rule never allows what was not seen. */
export function rulesFor(effects: readonly Effect[]): Rule[] {
  return effects.filter((effect) => effect.kind !== 'read')
}

export function ruleWords(rule: Rule): string {
  switch (rule.kind) {
    case 'run':
      return `the command: ${rule.command}`
    case 'write':
      return `changes of ${rule.path}`
    case 'open-write':
      return `that it writes to ${rule.path}`
    case 'open-host':
      return `that it reaches ${rule.host}`
    case 'call':
      return `calls of ${rule.tool} of the MCP server ${rule.server} with exactly these arguments`
    default:
      return rule satisfies never
  }
}

/** Whether the session's rules already allow this effect. */
export function allowedBy(rules: readonly Rule[], effect: Effect): boolean {
  if (effect.kind === 'read') return true
  const whole = JSON.stringify(effect)
  return rules.some((rule) => JSON.stringify(rule) === whole)
}

export interface Circumstances {
  readonly folder: string
  readonly network: 'off' | 'full'
  /** Reached although the network is off. */
  readonly hosts?: readonly string[] | undefined
  readonly sandbox: string
  /** Why it is asked for, where that is not the policy's own reason. */
  readonly because: string | undefined
}

/** What will happen, whole: it goes to the scrollback, so that however long it is, it can be read. */
export function proposalLines(
  request: Pick<ApprovalRequest, 'name' | 'effects' | 'preview' | 'reason'>,
  { folder, network, hosts = [], sandbox, because }: Circumstances,
  width: number,
): Line[] {
  const lines: Line[] = [
    [span('? ', { role: 'warning', bold: true }), span(`${request.name} wants to`, { bold: true })],
  ]
  const put = (label: string, text: string): void => {
    const head: Span = span(`  ${label.padEnd(8)} `, { role: 'muted' })
    const hang = [span(' '.repeat(head.text.length))]
    text.split('\n').forEach((one, n) => {
      lines.push(...wrap([n === 0 ? head : (hang[0] as Span), span(expandTabs(one))], width, { hang, hard: true }))
    })
  }
  const runs = request.effects.some(({ kind }) => kind === 'run')
  for (const effect of request.effects) {
    if (effect.kind === 'run') put('run', effect.command)
    else if (effect.kind === 'open-write') put('write to', `${effect.path} (outside of the work tree)`)
    else if (effect.kind === 'open-host') put('reach', effect.host)
    else if (effect.kind === 'call') {
      put('call', `${effect.tool} of the MCP server ${effect.server}, outside of the sandbox`)
      put('with', effect.input)
    } else put(effect.kind === 'write' ? 'change' : 'read', effect.path)
  }
  if (runs) {
    put('in', folder)
    put('network', network === 'full' ? 'yes, unrestricted' : hosts.length > 0 ? `only ${hosts.join(', ')}` : 'none')
    put('sandbox', sandbox === 'none' ? 'none: the command runs with all your rights' : sandbox)
  }
  put('because', because ?? request.reason)
  const preview = previewLines(request.preview, width)
  return preview.length === 0 ? lines : [...lines, emptyLine, ...preview]
}

/** The files as they would be: each with its name where there are several, a move as one. */
function previewLines(changes: readonly TextChange[], width: number): Line[] {
  const [only] = changes
  if (only !== undefined && changes.length === 1) return changeLines(only, { width, limit: mostChanged })
  return changes.flatMap((change, n) => [
    ...(n > 0 ? [emptyLine] : []),
    changeHead(change),
    ...changeLines(change, { width, limit: mostChanged }),
  ])
}

/** Nothing of what is asked about is folded away, up to a length that nobody reads. */
const mostChanged = 5000

/** The question itself, small enough for any screen. */
export function questionLines(request: Pick<ApprovalRequest, 'effects'>, width: number): Line[] {
  const rules = rulesFor(request.effects).map(ruleWords)
  const always =
    rules.length === 0
      ? []
      : wrap(line(`a  always in this session: ${rules.join(', ')}`), width, { hang: [span('   ')] })
  return [
    [span('Allow this?', { role: 'warning', bold: true })],
    line('y  yes, once'),
    ...(always.length > 3 ? [...always.slice(0, 2), line('   …')] : always),
    line('n  no, and tell the model why'),
  ]
}
