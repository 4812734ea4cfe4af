/** What a check is: one step of the ladder between "changed" and "done". */
import type { Policy, Sandbox, Workspace } from '../../sandbox/index.ts'
import type { CodeSense } from '../../tools/index.ts'
import type { CheckReport } from '../events.ts'

/** Commands that the user named (lines for `bash -c`), and what the tasks are. */
export interface CheckCommands {
  /** `--check`: what must pass, whatever else does. */
  readonly check?: string | undefined
  readonly types?: string | undefined
  readonly lint?: string | undefined
  /** Tasks quote what a failing program printed: `add(1, 2) is -1` stands there for what is wrong, and is no example. */
  readonly tasksQuoteOutput?: boolean | undefined
}

/** A text file that the run changed: `before` is null for a new one, `after` for one that is gone. */
export interface ChangedText {
  /** Relative to the work tree. */
  readonly path: string
  readonly before: string | null
  readonly after: string | null
}

export interface CheckContext {
  /** The user's words. */
  readonly task: string
  readonly files: readonly ChangedText[]
  readonly commands: CheckCommands
  readonly workspace: Workspace
  readonly sandbox: Sandbox
  readonly policy: Policy
  readonly signal: AbortSignal
  /** Undefined: languages that have no checker of their own here are not looked at. */
  readonly code?: CodeSense | undefined
  /** Files as the commands see them, which are otherwise: of an attempt that is not written. Relative paths. */
  readonly instead?: readonly { readonly path: string; readonly bytes: Buffer }[] | undefined
  /** One of many texts, most of which are wrong: what does not end soon is given up. */
  readonly hurried?: boolean | undefined
}

export interface Verdict extends CheckReport {
  /** How much of it passed, 0 to 1, where it failed in part: for comparing attempts. */
  readonly share?: number
  /**
   * What failed may have failed before the change already: then it is left out. `failed`: it failed then too, however.
   * `equally`: with the same detail. Absent: it has to pass whatever was before.
   */
  readonly compares?: 'failed' | 'equally'
}

/** Undefined where the check has nothing to look at. Rejects for what it could not do: then it is left out with that reason. */
export type Check = (context: CheckContext) => Promise<Verdict | undefined>
