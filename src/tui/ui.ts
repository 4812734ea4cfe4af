/** Everything the screen is drawn from, in one place. Changed by the keys and the run, read by the frame. */
import type { ApprovalAnswer, ApprovalRequest } from '../../agent/index.ts'
import type { Activity } from './activity.ts'
import type { Rule } from './approval.ts'
import type { Completion } from './complete/complete.ts'
import { type Editor, emptyEditor } from './editor/editor.ts'
import type { Walk } from './editor/history.ts'
import type { Vim } from './editor/vim.ts'
import type { Mode } from './modes.ts'
import type { StatusItem } from './status.ts'

/** A message written while the agent works: `boundary` is told at the next tool boundary, `after` when the turn ends. */
export interface Queued {
  readonly text: string
  readonly when: 'boundary' | 'after'
}

export interface OpenApproval {
  readonly request: ApprovalRequest
  readonly answer: (answer: ApprovalAnswer) => void
  /** When it was drawn: keys of the first moment belong to what was being typed. */
  since: number
  /** The reason being written for a no; undefined while the question stands. */
  reason: Editor | undefined
}

export interface Choice {
  readonly label: string
  readonly detail: string
}

/** A list to choose from, narrowed by typing. */
export interface Picker {
  readonly title: string
  readonly choices: readonly Choice[]
  readonly pick: (index: number) => void
  readonly cancel: () => void
  query: string
  at: number
}

export interface Search {
  query: string
  /** Index of the entry found. */
  at: number | undefined
  /** What the editor held before. */
  readonly before: Editor
}

export interface Ui {
  editor: Editor
  walk: Walk | undefined
  /** Undefined where vim keys are not wanted. */
  vim: Vim | undefined
  search: Search | undefined
  completion: Completion | undefined
  approvals: OpenApproval[]
  picker: Picker | undefined
  activity: Activity | undefined
  /** A passing line while a model is fetched or loaded. */
  loading: string | undefined
  queue: Queued[]
  /** Questions aside that are being answered beside a turn. */
  asides: { readonly question: string }[]
  rules: Rule[]
  mode: Mode
  hint: { readonly text: string; readonly until: number } | undefined
  model: string
  branch: string | undefined
  contextUsed: number
  contextTokens: number | undefined
  warm: number
  sandbox: string
  folder: string
  session: string
  statusItems: readonly StatusItem[]
  focused: boolean
  /** Whether the terminal rings for a user who looks away. */
  rings: boolean
  /** No moving marks, no bars: for screen readers and for those who asked for it. */
  still: boolean
}

export type UiStart = Pick<
  Ui,
  'mode' | 'model' | 'contextTokens' | 'sandbox' | 'folder' | 'statusItems' | 'still' | 'vim' | 'rings'
>

export function newUi(start: UiStart): Ui {
  return {
    ...start,
    editor: emptyEditor,
    walk: undefined,
    search: undefined,
    completion: undefined,
    approvals: [],
    picker: undefined,
    activity: undefined,
    loading: undefined,
    queue: [],
    asides: [],
    rules: [],
    hint: undefined,
    branch: undefined,
    contextUsed: 0,
    warm: 0,
    session: '',
    focused: true,
  }
}
