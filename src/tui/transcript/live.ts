/** What goes on right now: the call that is being written, and the output of those that run. */
import type { ToolCall } from '../../../engine/index.ts'
import { type Line, linesOf, type Style } from '../text/style.ts'
import { wrap } from '../text/wrap.ts'
import { callHead, under } from './call.ts'

export interface Running {
  readonly call: ToolCall
  readonly about: string
  output: string
}

const liveOutputRows = 6
const muted: Style = { role: 'muted' }

export function draftLines(
  draft: { readonly name: string; readonly path: string | undefined; readonly text: string },
  width: number,
  rows: number,
): Line[] {
  const head = callHead(draft.name, draft.path ?? '', width, muted).slice(0, Math.max(1, rows))
  const body = linesOf(draft.text, muted).flatMap((one) => wrap(one, width - 4, { hard: true }))
  const room = Math.min(liveOutputRows, rows - head.length)
  return room <= 0 || draft.text.trim() === '' ? head : [...head, ...under(body.slice(-room))]
}

export function runningLines(calls: readonly Running[], width: number, rows: number): Line[] {
  const lines: Line[] = []
  for (const { call, about, output } of calls) {
    const left = rows - lines.length
    if (left <= 0) break
    const head = callHead(call.name, about, width, { role: 'accent' }).slice(0, left)
    const body = output === '' ? [] : linesOf(output, muted).flatMap((one) => wrap(one, width - 4, { hard: true }))
    const room = Math.min(liveOutputRows, left - head.length)
    lines.push(...head, ...(room > 0 ? under(body.slice(-room)) : []))
  }
  return lines
}
