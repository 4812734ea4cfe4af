/**
 * Cachalot as a library: the loop of `cachalot run`, without a terminal.
 *
 * ```ts
 * import { createSession } from 'cachalot'
 *
 * const session = await createSession({ cwd: '/path/of/a/repository' })
 * for await (const event of session.send('Add a --json flag to cli.py')) {
 *   if (event.type === 'text') process.stdout.write(event.text)
 *   if (event.type === 'result') console.log(event.exit, event.changes)
 * }
 * await session.close()
 * ```
 *
 * Settings, models, the sandbox and session logs are those of the program: `~/.config/cachalot/config.toml`, then the
 * folder's own file, then `CACHALOT_*`, then what is given here.
 */
/// <reference path="./markdown.d.ts" />
import './with-resolvers.ts'
import type { AgentEvent, Approve, SendOptions, SessionInfo } from '../agent/index.ts'
import type { Effect } from '../tools/index.ts'
import { resolveConfig } from './config/resolve.ts'
import { openWantedSandbox } from './open/sandbox.ts'
import { openWorkplace } from './open/workplace.ts'
import { resolvePaths } from './paths.ts'
import { workTree } from './work-tree.ts'

export type {
  AgentEvent,
  ApprovalAnswer,
  ApprovalRequest,
  Approve,
  CheckReport,
  ExitReason,
  FileChange,
  SendOptions,
  SessionInfo,
} from '../agent/index.ts'
export { exitCode } from '../agent/index.ts'
export type { Effect } from '../tools/index.ts'
export { OpenError } from './open/open-error.ts'
export { UsageError } from './usage-error.ts'

/** As the flags of `cachalot run` (`cachalot run --help` says what each means). */
export interface CreateSettings {
  readonly model?: string
  readonly baseUrl?: string
  readonly preset?: string
  /** The name of the environment variable that holds the key. */
  readonly apiKeyEnv?: string
  readonly dialect?: string
  readonly effort?: 'off' | 'low' | 'high' | 'max'
  /** Tokens. */
  readonly context?: number
  readonly threads?: number
  readonly repository?: 'auto' | 'always' | 'never'
  readonly sandbox?: 'read-only' | 'workspace-write' | 'full-access' | 'external'
  /** A command that must pass before a task is done. */
  readonly check?: string
  readonly tries?: number
  readonly maxSteps?: number
  readonly maxTokens?: number
  readonly maxSeconds?: number
  readonly temperature?: number
  readonly seed?: number
  readonly appendSystem?: string
}

export interface CreateOptions extends CreateSettings {
  /** The work tree. Default: the folder of this process. */
  readonly cwd?: string
  /** Path of an earlier session's log (`session.info.logFile`): the model goes on with exactly what it had. */
  readonly resume?: string
  /** Asked about what the policy does not allow by itself. Absent: that is refused, never waited for. */
  readonly approve?: Approve
  /** Effects that `approve` is asked about although the policy allows them. */
  readonly asksBefore?: (effect: Effect) => boolean
  /** Ends the opening: a download, weights being read. */
  readonly signal?: AbortSignal
  /** What a person should know: a setting that is ignored, commands that will not run, where a model comes from. */
  readonly onNotice?: (text: string) => void
  /** A passing line while a model is fetched or loaded; undefined when that is over. */
  readonly onStatus?: (text: string | undefined) => void
}

/** One conversation about one work tree. */
export interface LibrarySession {
  readonly id: string
  readonly info: SessionInfo
  /**
   * Runs one task to its end. The first event is `session`, the last always `result`, also on error, limit and
   * interruption; nothing that a model, a tool or the world did is thrown. Leaving the loop early interrupts the run.
   */
  send(task: string, options?: SendOptions): AsyncIterable<AgentEvent>
  /** Words for the run in progress. */
  steer(text: string): void
  /** Ends the session, its model and every process of theirs. */
  close(): Promise<void>
}

/**
 * Opens a session. Rejects with UsageError for a wrong setting or folder, and with OpenError (`exit` says what kind) when
 * the model cannot be opened; both messages name the fix. The default model is fetched when there is none.
 */
export async function createSession(options: CreateOptions = {}): Promise<LibrarySession> {
  const { cwd: given, resume, approve, asksBefore, signal, onNotice, onStatus, ...wanted } = options
  const cwd = workTree(given)
  const paths = resolvePaths()
  // Read and checked as flags are.
  const flags = Object.fromEntries(
    Object.entries(wanted).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  )
  const { config, warnings } = resolveConfig({ cwd, paths, environment: process.env, flags })
  for (const warning of warnings) onNotice?.(warning)
  const place = await openWorkplace({
    config,
    cwd,
    paths,
    sandbox: openWantedSandbox(config, cwd),
    signal: signal ?? new AbortController().signal,
    mayAsk: false,
    animated: false,
    onStatus: (text) => onStatus?.(text),
    onNotice: (_, text) => onNotice?.(text),
    session: {
      ...(resume !== undefined && { resume }),
      ...(approve !== undefined && { approve }),
      ...(asksBefore !== undefined && { asksBefore }),
    },
  })
  const { session } = place
  return {
    id: session.id,
    info: session.info,
    send: (task, sending) => session.send(task, sending),
    steer: (text) => session.steer(text),
    close: () => place.close(),
  }
}
