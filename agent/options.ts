/** What a session is opened with, and what the front end holds in its hands afterwards. */
import type { Model, ModelInfo, Sampling, ToolCall } from '../engine/index.ts'
import type { Limits, Policy, Sandbox, Workspace } from '../sandbox/index.ts'
import type { CodeSense, Effect, TextChange, Tool } from '../tools/index.ts'
import type { CheckCommands } from './checks/types.ts'
import type { ContextReport } from './context/report.ts'
import type { RepositoryOptions } from './context/repository/resident.ts'
import type { AgentEvent } from './events.ts'
import type { Rule } from './policy/rules.ts'

/** What one run (one `send`) may use up before it ends with `limit`. */
export interface RunLimits {
  /** Requests to the model. */
  readonly steps: number
  /** Tokens that the model generates, over all requests of the run. */
  readonly tokens: number
  /** Wall time. A reply or a command in progress is cut. */
  readonly seconds: number
}

/** Time as the agent sees it; injected so that tests own it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Calls `then` once after `ms`; the returned function cancels it. */
  after(ms: number, then: () => void): () => void
}

/** A call that policy does not allow by itself: what exactly would happen, and which rule stands in the way. */
export interface ApprovalRequest {
  readonly callId: string
  readonly name: string
  /** As the model wrote it: what a change would put where. */
  readonly call: ToolCall
  readonly effects: readonly Effect[]
  /** The files as they would be afterwards, by the tool itself; empty where it changes none or cannot tell. */
  readonly preview: readonly TextChange[]
  /** For a person: why it has to be asked for. */
  readonly reason: string
  /** The policy or a rule asks, not only `asksBefore`: no mode of a front end may answer in the person's place. */
  readonly required: boolean
}

/** `reason` of a denial is told to the model. */
export type ApprovalAnswer = { readonly allow: true } | { readonly allow: false; readonly reason: string }

/** Asks a person. Must give up (deny) when the signal aborts. */
export type Approve = (request: ApprovalRequest, signal: AbortSignal) => Promise<ApprovalAnswer>

export interface SessionOptions {
  readonly model: Model
  /** Absolute path of the work tree. */
  readonly root: string
  readonly sandbox: Sandbox
  /** Mode and roots; `policy.roots[0]` is the work tree. */
  readonly policy: Policy
  readonly limits: RunLimits
  /** The XDG state folder of the program; logs go to `sessions/` in it. Made (0700) when missing. */
  readonly stateFolder: string
  /** For each command that the model runs. Default: 120 s, 64 KiB of output. */
  readonly commandLimits?: Limits
  /** Whether AGENTS.md of the root is shown to the model. Default: true. */
  readonly instructions?: boolean
  /** Standing words of the user, shown after AGENTS.md and, like it, never trusted as control text. */
  readonly appendSystem?: string
  /** Whether and how the repository is put into the context. Default: it is not. */
  readonly repository?: RepositoryOptions
  /** Overrides of the model's own measured settings. */
  readonly sampling?: Partial<Sampling>
  /** Absent: nobody is there to ask, and what would need approval is refused (never waited for). */
  readonly approve?: Approve
  /** Effects that `approve` is asked about although the policy allows them. Default: none. */
  readonly asksBefore?: (effect: Effect) => boolean
  /** The user's rules over calls; a repository's own, which can only be stricter, among them. Default: none. */
  readonly rules?: readonly Rule[]
  /** Path of an earlier session's log: the model continues with exactly the tokens it had. */
  readonly resume?: string
  /**
   * The most attempts at a task whose checks fail; each but the first begins from the state before the task. Default: by
   * the model, see attempts.ts.
   */
  readonly tries?: number
  /** Commands that check what was done, run in the sandbox after every change. `check` must pass before a run is done. */
  readonly checks?: CheckCommands
  /** Grammars: for outlines, symbols and the syntax of edits. The caller closes it. Default: none. */
  readonly code?: CodeSense
  /** Default: those of the tools room that the model does well with. */
  readonly tools?: readonly Tool[]
  /** Besides these: tools of other programs. The caller closes them. */
  readonly moreTools?: readonly Tool[]
  /**
   * The files of the work tree (`listFiles`), where who opens the session has them listed while the rest is made ready. For
   * a task that is sent at once; later ones list them anew.
   */
  readonly listed?: Promise<readonly string[]>
  /** Default: opened on `root`. */
  readonly workspace?: Workspace
  /** Default: the system's. */
  readonly clock?: Clock
}

/** The same with what is left out filled in. */
export type ResolvedOptions = SessionOptions & { readonly workspace: Workspace; readonly clock: Clock }

export interface SessionInfo {
  readonly id: string
  /** Absolute path of the work tree. */
  readonly cwd: string
  readonly model: ModelInfo
  /** The sandbox's backend, or `none`. */
  readonly sandbox: string
  /** Absolute path of the append-only log (JSONL). */
  readonly logFile: string
}

export interface SendOptions {
  /** Aborting it ends the run with `interrupted` within 300 ms, also inside prefill; what was done stays. */
  readonly signal?: AbortSignal
  /** Absolute paths of pictures that go with the task. A model without vision gets none of them, and a notice says so. */
  readonly pictures?: readonly string[]
  /** A line for `bash -c` that must pass for this task to be done, in the place of the session's `checks.check`. */
  readonly check?: string
  /** Files that go with the task, relative to the work tree, the most important first: in the place of those that it names. */
  readonly files?: readonly string[]
  /**
   * Called on the files as an attempt leaves them, before anything checks it: puts back what the task may not change, and says in a
   * few words, for the model, what that was and what to do instead. Undefined: nothing was put back. What it leaves is judged as the
   * attempt; where that is nothing, the attempt has failed.
   */
  readonly putBack?: () => Promise<string | undefined>
}

/**
 * One conversation about one work tree.
 *
 * A front end does `for await (const event of session.send(task, { signal }))` and draws the events. The first event
 * is `session`, the last is always `result`, also on error, limit and interruption; `result.exitCode` is the exit
 * code of the program. `send` does not throw for anything that a model, a tool or the world did. It may be called
 * again after `result`; while a run is going on it throws.
 */
export interface Session {
  readonly id: string
  readonly info: SessionInfo
  /** Tokens that the conversation holds now; undefined as long as the model was asked nothing. */
  readonly contextTokens: number | undefined
  /** Runs one task to its end. Leaving the loop early (break) interrupts the run. */
  send(text: string, options?: SendOptions): AsyncIterable<AgentEvent>
  /**
   * Answers a question in a copy of the conversation, which is thrown away: nothing of it is in the conversation or its log, and
   * what the model has read is not read again. Tools are not run. While a run is going on the copy is made as soon as the reply
   * in progress is there, and answered beside the run.
   */
  aside(question: string, options?: Pick<SendOptions, 'signal'>): AsyncIterable<AgentEvent>
  /**
   * The turns that `takeBack` can take out of the conversation, the last first: those of this process, since the conversation was
   * last built anew. Each is the record of what it changed in files (`TurnSummary.id`), or undefined where it changed none.
   */
  readonly turns: readonly (string | undefined)[]
  /**
   * Takes the last `count` turns out of what the model sees. False where there are not so many in `turns`. Files are not touched.
   * Throws while a run is going on.
   */
  takeBack(count: number): Promise<boolean>
  /**
   * Brings the repository in the context up to date, where enough of it has changed, or where the session began with less of it than
   * the budget allows: packed anew and read in a copy of the conversation, which then takes its place. Ends early, and changes nothing, when a run begins or the signal aborts. Tells
   * whether it was done. Does not reject.
   */
  rebase(options: { readonly signal: AbortSignal }): Promise<boolean>
  /** What of the repository is in the context, and what it would be for a session that begins now. Rejects with EngineError. */
  context(): Promise<ContextReport>
  /** Reads a task ahead that is still being written, until something else is asked. What changes later is read anew. */
  ahead(draft: string): void
  /** Words for the run in progress: the model gets them at the next tool boundary, or before it would end. */
  steer(text: string): void
  /** Closes the model's session and the log; not the model, which the caller opened. */
  close(): Promise<void>
}
