/** The one union that every front end consumes. Nothing reaches behind it. */
import type { ModelInfo, ToolCall, Usage } from '../engine/index.ts'
import type { Effect, ToolResult } from '../tools/index.ts'

/** Why a run ended. The exit code follows from it, see `exitCode`. */
export type ExitReason =
  /** The task ended normally and nothing that was tried is left failed. */
  | 'done'
  /** The model stopped, looped or gave up without the task being done. */
  | 'not-done'
  /** Steps, tokens or seconds ran out. */
  | 'limit'
  /** Model or engine failed. */
  | 'model'
  /** A command was needed and no sandbox is there. */
  | 'sandbox'
  /** What was needed is not allowed: a rule forbids it, or nobody was there to ask. */
  | 'denied'
  | 'interrupted'

/** 0 done · 1 not done · 3 model or engine · 4 sandbox missing · 5 limit · 7 denied · 130 interrupted. (2, usage, is before any run; 6 is of `fix`.) */
export const exitCode: Readonly<Record<ExitReason, number>> = {
  done: 0,
  'not-done': 1,
  model: 3,
  sandbox: 4,
  limit: 5,
  denied: 7,
  interrupted: 130,
}

export type AgentEvent =
  | {
      readonly type: 'session'
      readonly id: string
      readonly cwd: string
      readonly model: ModelInfo
      readonly sandbox: string
    }
  /** A request to the model begins; steps count from 1. */
  | { readonly type: 'step'; readonly step: number }
  | { readonly type: 'prefill'; readonly done: number; readonly total: number; readonly cached: number }
  | { readonly type: 'reasoning'; readonly text: string }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'call-start'; readonly name: string; readonly path?: string }
  | { readonly type: 'call-delta'; readonly text: string }
  | { readonly type: 'call'; readonly call: ToolCall; readonly effects: readonly Effect[] }
  /** A call needed a yes, or a rule of the settings forbade it. `nobody`: there was no one to ask. */
  | {
      readonly type: 'approval'
      readonly callId: string
      readonly allowed: boolean
      readonly by: 'person' | 'nobody' | 'rule'
      /** Why it had to be asked, or what was answered. */
      readonly reason: string
      readonly effects: readonly Effect[]
    }
  | { readonly type: 'output'; readonly callId: string; readonly text: string }
  | {
      readonly type: 'tool-result'
      readonly callId: string
      readonly name: string
      readonly result: ToolResult
      readonly seconds: number
    }
  | { readonly type: 'malformed'; readonly text: string; readonly problem: string }
  | { readonly type: 'usage'; readonly usage: Usage }
  | { readonly type: 'notice'; readonly level: 'info' | 'warning' | 'error'; readonly text: string }
  /** Always the last event of a run, also on error and interruption. */
  | {
      readonly type: 'result'
      readonly exit: ExitReason
      readonly exitCode: number
      /** The model's last words, or why the run ended. */
      readonly text: string
      /** Files changed by the run, relative to the work tree, with their unified diff. */
      readonly changes: readonly FileChange[]
      /** The checks of what stands in the files now, in the order in which they were made. Empty: nothing was checked. */
      readonly checks: readonly CheckReport[]
      readonly steps: number
      readonly seconds: number
      readonly usage: Usage
      /** The part of `usage` that explorations took; absent where there were none. */
      readonly explored?: Usage
    }

/** One check of the changed files, as we made it ourselves: never what a model says of it. */
export interface CheckReport {
  /** `allowed` (something was changed that the task may not), `syntax`, `types`, `lint`, `examples`, `check` (the user's own command) or `tests`. */
  readonly name: string
  /** Null: it could not be made here, or failed before the change already; `detail` says which. */
  readonly passed: boolean | null
  readonly detail: string
}

/** One file that differs from what it was when the run began. */
export interface FileChange {
  readonly path: string
  readonly kind: 'added' | 'changed' | 'deleted'
  /** Unified diff (three lines of context); undefined for binary files. */
  readonly diff?: string
}
