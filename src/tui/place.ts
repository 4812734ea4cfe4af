/** What the interface stands on: how sessions are opened, how a command of the user runs, where things are kept. */
import type { Approve, Session } from '../../agent/index.ts'
import type { CommandResult, SandboxMode } from '../../sandbox/index.ts'
import type { Effect } from '../../tools/index.ts'

export interface OpenRequest {
  /** Path of an earlier session's log. */
  readonly resume?: string
  /** Another model than the configured one. */
  readonly model?: string
  readonly approve: Approve
  readonly asksBefore: (effect: Effect) => boolean
  /** Asked before each call: what the sandbox holds commands to right now. */
  readonly sandboxMode: (widest: SandboxMode) => SandboxMode
  readonly signal: AbortSignal
  /** A passing line while the model is fetched or loaded; undefined when over. */
  readonly onStatus: (text: string | undefined) => void
  readonly onNotice: (level: 'info' | 'warning', text: string) => void
}

/** A model to choose from. */
export interface ModelChoice {
  readonly name: string
  /** Size, memory, licence: what a choice needs. */
  readonly detail: string
  readonly here: boolean
}

export interface Place {
  /** Absolute, real path of the work tree. */
  readonly root: string
  readonly version: string
  /** The program's XDG folders. */
  readonly folders: { readonly state: string; readonly config: string }
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The model's name as configured. */
  readonly model: string
  readonly network: 'off' | 'full'
  /** Hosts that commands reach although the network is off. */
  readonly hosts?: readonly string[]
  openSession(request: OpenRequest): Promise<Session>
  /** What the sandbox is here and what it holds commands to, in one line; the fix when there is none. */
  sandbox(): Promise<{ readonly backend: string; readonly words: string; readonly works: boolean }>
  /** Runs a command of the user in the sandbox, in the work tree. */
  runCommand(
    line: string,
    options: { readonly signal: AbortSignal; readonly mode: SandboxMode; readonly onOutput: (text: string) => void },
  ): Promise<CommandResult>
  models(): Promise<readonly ModelChoice[]>
  /** Keeps the choice in the user's configuration. */
  keepModel(name: string): Promise<void>
  /** True while no model was configured and none is on this machine. */
  needsModel(): Promise<boolean>
  /** Every setting, its value where one is set, and where it comes from. */
  settings(): readonly { readonly key: string; readonly value: unknown; readonly origin: string }[]
  /** Ends models and processes. */
  close(): Promise<void>
}
