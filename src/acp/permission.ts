/** A call that needs a yes, as an editor asks for it. */
import type { PermissionOption, ToolCallUpdate } from '@agentclientprotocol/sdk'
import type { ApprovalRequest } from '../../agent/index.ts'
import { callDiffs, callKind, callLocations, callTitle } from './call.ts'

export interface Permission {
  readonly toolCall: ToolCallUpdate
  readonly options: PermissionOption[]
}

const once: PermissionOption[] = [
  { optionId: 'once', name: 'Allow', kind: 'allow_once' },
  { optionId: 'no', name: 'Reject', kind: 'reject_once' },
]
const always: PermissionOption = { optionId: 'always', name: 'Allow exactly this from now on', kind: 'allow_always' }

/** Whether the option that was chosen is a yes; undefined is a prompt that was cancelled. */
export const allowsKind = (chosen: string | undefined): boolean => chosen === 'once' || chosen === 'always'

export function permissionFor(request: ApprovalRequest, cwd: string): Permission {
  const { call, effects, preview, reason, required } = request
  const text = { type: 'content' as const, content: { type: 'text' as const, text: reason } }
  return {
    toolCall: {
      toolCallId: call.id,
      title: callTitle(call, effects),
      kind: callKind(effects),
      status: 'pending',
      rawInput: call.arguments,
      locations: callLocations(effects, cwd),
      content: [...callDiffs(preview, cwd), ...(required ? [text] : [])],
    },
    // What the policy asks about is asked about every time.
    options: required ? once : [once[0]!, always, once[1]!],
  }
}
