/** What the model may do: one tool a file, each with schema, effects and rendering data. */
import type { ZodType } from 'zod'
import type { BackgroundCommands, Connection, Finding, Limits, Policy, Sandbox, Workspace } from '../sandbox/index.ts'
import type { CodeSense } from './code/open.ts'

/** What a call will do to the world, told before it is done: what policy and approvals judge. */
export type Effect =
  | { readonly kind: 'read'; readonly path: string }
  | { readonly kind: 'write'; readonly path: string }
  | { readonly kind: 'run'; readonly command: string }
  /** With `run`: the command wants to write there too. Outside of the work tree. */
  | { readonly kind: 'open-write'; readonly path: string }
  /** With `run`: the command wants to reach that host: `name` or `name:port`. */
  | { readonly kind: 'open-host'; readonly host: string }
  /**
   * A tool of another program (MCP), outside of the sandbox; `input`: its arguments as JSON. `listed`: the user's
   * configuration allows it.
   */
  | {
      readonly kind: 'call'
      readonly server: string
      readonly tool: string
      readonly input: string
      readonly listed: boolean
    }

/** One file before and after: `before` is null for a new file, `after` for a deleted one; `path` relative to the root. */
export interface TextChange {
  readonly path: string
  readonly before: string | null
  readonly after: string | null
}

/** What the screen shows of a result; the model gets `content`. */
export type ToolDetails =
  | {
      readonly kind: 'read'
      readonly path: string
      readonly fromLine: number
      readonly toLine: number
      readonly totalLines: number
    }
  | ({ readonly kind: 'change' } & TextChange)
  /** One call that changed several files; a move is a deletion and an addition. */
  | { readonly kind: 'changes'; readonly files: readonly TextChange[] }
  | {
      readonly kind: 'command'
      readonly command: string
      readonly exitCode: number
      /** `running`: it goes on in the background; the exit code says nothing yet. */
      readonly outcome: 'exited' | 'signalled' | 'timed-out' | 'aborted' | 'running'
      readonly seconds: number
      readonly output: string
      /** What it left in the work tree that programs outside would obey. */
      readonly findings?: readonly Finding[]
      /** Where it went through the proxy, or wanted to. */
      readonly connections?: readonly Connection[]
    }
  | { readonly kind: 'list'; readonly path: string; readonly entries: number }
  /** What a tool of another program (MCP) gave back. */
  | { readonly kind: 'call'; readonly server: string; readonly tool: string; readonly text: string }
  | { readonly kind: 'search'; readonly pattern: string; readonly matches: number }
  | { readonly kind: 'failure'; readonly reason: ToolFailureReason }

/** Why a tool did not do what was asked, as a closed list. */
export type ToolFailureReason =
  | 'bad-arguments'
  | 'unknown-tool'
  | 'not-found'
  /** A folder, link, device or other thing where a file is needed. */
  | 'not-a-file'
  /** A file is in the way of one that would be made. */
  | 'exists'
  /** The file is not what the model saw: someone changed it since. */
  | 'stale'
  | 'outside'
  | 'no-match'
  | 'many-matches'
  | 'no-change'
  | 'binary'
  | 'too-large'
  | 'denied'
  | 'sandbox'
  | 'aborted'
  | 'io'

export interface ToolResult {
  readonly ok: boolean
  /** For the model: what happened, and on a failure what to do next. Untrusted text. */
  readonly content: string
  readonly details: ToolDetails
}

export interface ToolContext {
  readonly workspace: Workspace
  readonly sandbox: Sandbox
  readonly policy: Policy
  readonly limits: Limits
  readonly signal: AbortSignal
  /**
   * What the model has seen: path relative to the root → `fingerprint` of the bytes. `read`, `edit` and `write` note what
   * they show and write; the loop adds the files it puts in front of the model. A file noted here that has changed since is
   * refused as `stale` by `edit` and `write`. Undefined: nothing is refused.
   */
  readonly seen?: Map<string, string>
  /** Absolute path of a folder of our own for the journal of edits (see `recoverEdits`). Undefined: no journal. */
  readonly journal?: string
  /**
   * Characters that a result may have, where the model's context is small; the tools cut and say how to see the rest. Undefined:
   * each tool's own limit (8,000 for a command, 32,000 for a file).
   */
  readonly maxChars?: number
  /** The background commands of the session. Undefined: none can be started. */
  readonly background?: BackgroundCommands
  /** Grammars. Undefined: outlines and symbols cannot be asked for. */
  readonly code?: CodeSense
  /** Id → text of what was paged out of the context. */
  readonly pages?: ReadonlyMap<string, string>
  /** Answers a question in a copy of the conversation that can only read. Undefined: it cannot be asked. */
  readonly explore?: (question: string, signal: AbortSignal) => Promise<{ readonly ok: boolean; readonly text: string }>
  /** Live output of a command, for the screen. */
  readonly onOutput?: (text: string) => void
  /**
   * What `content` will begin with if the call goes on well, told while it runs: each text begins with the one before it. Only
   * a guess, for reading it in advance.
   */
  readonly onBeginning?: (text: string) => void
}

/**
 * A tool. `run` does not throw for anything the model or the world did: those are results with `ok: false`.
 * `input` parses the model's arguments; its JSON schema is what the model is told.
 */
export interface Tool<Input = unknown> {
  readonly name: string
  /** One or two sentences, counted in tokens. */
  readonly description: string
  readonly input: ZodType<Input>
  effects(input: Input): Effect[]
  /**
   * The files as they would be after `run`, worked out now and nothing written: what a person is asked about. Empty when
   * the call would fail; `run` then tells why. Absent: what the tool changes cannot be told before.
   */
  preview?(input: Input, context: ToolContext): Promise<readonly TextChange[]>
  run(input: Input, context: ToolContext): Promise<ToolResult>
}
