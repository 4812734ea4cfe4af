/** Who may do what: the mode, the session's rules, and the question where neither answers. */
import type { ApprovalAnswer, Approve } from '../../agent/index.ts'
import { allowedBy, proposalLines, rulesFor } from './approval.ts'
import type { Desk } from './desk.ts'
import { emptyEditor, expanded } from './editor/editor.ts'
import type { Key } from './input/keys.ts'
import { asksBefore, modeHelp } from './modes.ts'
import type { OpenApproval } from './ui.ts'

/** Keys of this first time belong to what was being typed when the question came. */
const graceMs = 400

export function openApprovals(desk: Desk): {
  readonly approve: Approve
  key(key: Key): boolean
  text(text: string): boolean
} {
  const { ui } = desk

  const approve: Approve = async (request, signal) => {
    const writes = request.effects.some(({ kind }) => kind === 'write')
    if (ui.mode === 'plan' && writes)
      return { allow: false, reason: 'This is plan mode: read and plan, change nothing. Say what you would change.' }
    const asked = request.effects.filter((effect) => request.required || asksBefore(ui.mode, effect))
    const nothing = request.required && request.effects.length === 0
    if (!nothing && asked.every((effect) => allowedBy(ui.rules, effect))) return { allow: true }
    return new Promise<ApprovalAnswer>((resolve) => {
      const close = (answer: ApprovalAnswer): void => {
        ui.approvals = ui.approvals.filter((one) => one !== approval)
        resolve(answer)
        desk.draw()
      }
      const approval: OpenApproval = { request, answer: close, since: Date.now(), reason: undefined }
      if (signal.aborted) return close({ allow: false, reason: 'The user interrupted.' })
      signal.addEventListener('abort', () => close({ allow: false, reason: 'The user interrupted.' }), { once: true })
      const { root, network, hosts } = desk.place
      const because = ui.mode === 'plan' || request.required ? undefined : `mode ${ui.mode}: ${modeHelp[ui.mode]}`
      const circumstances = { folder: root, network, hosts, sandbox: ui.sandbox, because }
      if (request.preview.length > 0) desk.transcript.changeSeen(request.callId)
      desk.sayLines((width) => proposalLines(request, circumstances, width))
      ui.approvals = [...ui.approvals, approval]
      if (!ui.focused && ui.rings) desk.terminal.notify('Cachalot asks for permission')
      desk.draw()
      // From when it is seen: a long change takes its time to be drawn.
      approval.since = Date.now()
    })
  }

  const text = (typed: string): boolean => {
    const [approval] = ui.approvals
    if (approval === undefined || approval.reason !== undefined || Date.now() - approval.since < graceMs) return false
    const letter = typed.toLowerCase()
    if (letter === 'y') approval.answer({ allow: true })
    else if (letter === 'a') {
      ui.rules = [...ui.rules, ...rulesFor(approval.request.effects)]
      approval.answer({ allow: true })
    } else if (letter === 'n') approval.reason = emptyEditor
    return true
  }

  /** Return and Escape while a reason is being written; everything else edits it. */
  const key = ({ name, alt, shift }: Key): boolean => {
    const [approval] = ui.approvals
    if (approval?.reason === undefined) return false
    if (name === 'escape') approval.reason = undefined
    else if (name === 'return' && !alt && !shift) {
      const reason = expanded(approval.reason).trim()
      approval.answer({ allow: false, reason })
    } else return false
    return true
  }

  return { approve, key, text }
}
