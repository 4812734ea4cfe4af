/** The line at the foot of the screen: mode, model, branch, how full the context is and how much of it is warm. */
import { bar, count } from '../terminal/numbers.ts'
import type { Mode } from './modes.ts'
import { type Line, lineWidth, type Role, type Span, span } from './text/style.ts'
import { cut } from './text/wrap.ts'

export type StatusItem = 'mode' | 'model' | 'branch' | 'context' | 'warm' | 'sandbox' | 'folder' | 'session'

export const defaultStatus: readonly StatusItem[] = ['mode', 'model', 'branch', 'context', 'warm', 'sandbox']

export interface StatusFacts {
  readonly mode: Mode
  readonly model: string
  readonly branch: string | undefined
  /** Tokens in the context, and how many fit; undefined where nobody knows. */
  readonly contextUsed: number
  readonly contextTokens: number | undefined
  /** Tokens of the last request that were in the cache already. */
  readonly warm: number
  /** The sandbox's backend, or `none`. */
  readonly sandbox: string
  readonly folder: string
  readonly session: string
}

const modeRole: Readonly<Record<Mode, Role>> = { plan: 'link', ask: 'accent', 'auto-edit': 'warning', auto: 'warning' }

/** The items in the order wanted; those that do not fit are left out from the end. The mode is always there. */
export function statusLine(facts: StatusFacts, items: readonly StatusItem[], width: number): Line {
  const shown: Span[] = [span(facts.mode, { role: modeRole[facts.mode], bold: true })]
  for (const item of items) {
    const part = item === 'mode' ? [] : itemSpans(item, facts)
    if (part.length === 0) continue
    const next = [...shown, span(' · ', { role: 'muted' }), ...part]
    if (lineWidth(next) <= width) shown.splice(0, shown.length, ...next)
  }
  return cut(shown, width)
}

function itemSpans(item: Exclude<StatusItem, 'mode'>, facts: StatusFacts): Span[] {
  const muted = (text: string): Span[] => (text === '' ? [] : [span(text, { role: 'muted' })])
  switch (item) {
    case 'model':
      return muted(facts.model.split('/').at(-1) ?? '')
    case 'branch':
      return muted(facts.branch === undefined ? '' : `⎇ ${facts.branch}`)
    case 'context':
      return context(facts)
    case 'warm':
      return muted(facts.warm > 0 ? `${count(facts.warm)} warm` : '')
    case 'sandbox':
      return facts.sandbox === 'none' ? [span('no sandbox', { role: 'error' })] : muted(facts.sandbox)
    case 'folder':
      return muted(facts.folder)
    case 'session':
      return muted(facts.session)
  }
}

function context({ contextUsed, contextTokens }: StatusFacts): Span[] {
  if (contextTokens === undefined)
    return contextUsed > 0 ? [span(`${count(contextUsed)} tokens`, { role: 'muted' })] : []
  const used = contextUsed / contextTokens
  const role: Role = used > 0.9 ? 'error' : used > 0.75 ? 'warning' : 'muted'
  return [span(`context ${bar(used, 8)} ${Math.round(used * 100)} %`, { role })]
}
