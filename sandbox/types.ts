/** What a command may touch, and the way our own code reads and writes the user's files. */

/** `read-only`: nothing but a private /tmp is writable. `workspace-write`: the roots too. `full-access`: no sandbox. */
export type SandboxMode = 'read-only' | 'workspace-write' | 'full-access'

/** What a backend holds a command to. A mode names the ones it requires; a gap is a refusal or an approval, never silence. */
export type Guarantee =
  | 'write-outside'
  | 'git-metadata'
  | 'secrets-hidden'
  | 'env-clean'
  | 'net-off'
  | 'net-allowlist'
  | 'unix-hidden'
  | 'proc-isolated'
  | 'kill-all'
  | 'suid-free'

export interface Policy {
  readonly mode: SandboxMode
  /** Absolute, real paths of the writable roots; the first is the work tree. */
  readonly roots: readonly string[]
  /** More writable paths, absolute; from flags and user configuration only. */
  readonly extraWrite: readonly string[]
  /** Paths in the writable folders that commands may not change, absolute. Held by bubblewrap where they exist. */
  readonly readOnly?: readonly string[]
  /** Globs over paths relative to the first root, of what commands may not change, and may not read: see held.ts. */
  readonly readOnlyGlobs?: readonly string[]
  readonly hiddenGlobs?: readonly string[]
  /** Paths hidden from commands, absolute, besides the built-in list of secrets. */
  readonly denyRead: readonly string[]
  readonly network: 'off' | 'full'
  /**
   * With the network off: hosts that commands reach all the same, through a proxy of ours. `example.org` is that host,
   * `*.example.org` any below it; `:port` after it, default 80 and 443. From flags and user configuration only.
   */
  readonly allowHosts?: readonly string[]
  /** Guarantees that the user does without, in so many words: a backend that lacks only these runs commands. */
  readonly accepts?: readonly Guarantee[]
  /** Names of environment variables to pass besides the built-in allow-list. */
  readonly passEnv: readonly string[]
  /**
   * For the git tool alone, whose command lines are ours: the data of the first root's own repository are writable, but not
   * what makes git run programs (config, hooks, …). Never for a command that a model wrote.
   */
  readonly git?: 'writable'
}

export interface Limits {
  readonly seconds: number
  /** Bytes of output kept (head and tail); the rest is counted and dropped. */
  readonly outputBytes: number
  /** Bytes of memory of all its processes together; default three quarters of what is free when it starts. */
  readonly memoryBytes?: number
  /** Processes at once; default 4096. */
  readonly processes?: number
}

export interface Command {
  /** A line for `bash -c`. */
  readonly line: string
  /** Absolute path of the folder to run in; must lie in a root. */
  readonly cwd: string
  readonly stdin?: string
  /**
   * Files that the command sees with another content than they have, and cannot write; nothing is changed for anybody else.
   * Only where `canShow` says so.
   */
  readonly instead?: readonly Instead[]
}

/** `path`: absolute, of a file that exists in a root. */
export interface Instead {
  readonly path: string
  readonly bytes: Buffer
}

export interface CommandResult {
  /** The first reason to end wins. */
  readonly outcome: 'exited' | 'signalled' | 'timed-out' | 'aborted'
  /** 128 + n for a death by signal n, as shells do. */
  readonly exitCode: number
  /** stdout and stderr as they came, decoded as UTF-8 (invalid bytes replaced), middle cut when over the limit. */
  readonly output: string
  /** Bytes that the command wrote in all. */
  readonly outputBytes: number
  readonly truncated: boolean
  readonly seconds: number
  /** When something was cut: where a later command of the session finds all of it (at most 16 MiB). */
  readonly fullOutput?: string
  /** What the command left that programs outside would obey: to be shown to the user, with an offer to remove it. */
  readonly findings?: readonly Finding[]
  /** Where it went through the proxy, or wanted to: each host and port once. */
  readonly connections?: readonly Connection[]
  /** One line for model and user when the sandbox is the likely cause of a failure. */
  readonly hint?: string
  /** What the failure likely lacked. A guess, like `hint`: for words, never for a decision. */
  readonly lacked?: 'write' | 'host'
}

/** A connection that a command asked the proxy for. */
export interface Connection {
  readonly host: string
  readonly port: number
  readonly allowed: boolean
}

/** Something new in the work tree that a program outside would obey; see tripwire.ts. */
export interface Finding {
  readonly kind: 'nested-repository' | 'bare-repository' | 'obeyed-name' | 'link-out' | 'git-data' | 'set-id' | 'pipe'
  /** Absolute. */
  readonly path: string
  /** One line for model and user; names in it are quoted. */
  readonly message: string
  /** It was taken back at once; `message` says how. Otherwise it is there. */
  readonly reverted?: true
}

/** Why no command can run here. `message` names the fix. */
export interface SandboxProblem {
  readonly kind:
    | 'missing'
    | 'userns-denied'
    | 'no-namespaces'
    | 'root-without-caps'
    | 'no-proc'
    | 'self-test'
    | 'platform'
  readonly message: string
}

export interface RunOptions {
  readonly policy: Policy
  readonly limits: Limits
  readonly signal: AbortSignal
  /** Output as it comes, decoded. */
  readonly onOutput?: (text: string) => void
  /** Called once, when the command itself begins. */
  readonly onStart?: () => void
  /** Later commands of the session reach what this one serves on the loopback. See BackgroundCommands. */
  readonly background?: boolean
}

export interface Sandbox {
  readonly backend: 'bwrap' | 'seatbelt' | 'landlock' | 'external' | 'none'
  readonly guarantees: readonly Guarantee[]
  /** Set when commands cannot run: `run` then throws SandboxError. */
  readonly problem: SandboxProblem | undefined
  /** Rejects with SandboxError when the sandbox cannot be made; everything the command does is a result. */
  run(command: Command, options: RunOptions): Promise<CommandResult>
}

export class SandboxError extends Error {
  override readonly name = 'SandboxError'
  readonly kind: SandboxProblem['kind'] | 'bad-command' | 'policy-gap'
  constructor(kind: SandboxError['kind'], message: string) {
    super(message)
    this.kind = kind
  }
}

/** A path that our own code may not touch, or a file that it will not: `message` is for model and user alike. */
export class WorkspaceError extends Error {
  override readonly name = 'WorkspaceError'
  readonly kind: 'outside' | 'not-found' | 'not-a-file' | 'protected' | 'too-large' | 'link' | 'exists' | 'io'
  readonly path: string
  constructor(kind: WorkspaceError['kind'], path: string, message: string) {
    super(message)
    this.kind = kind
    this.path = path
  }
}

/** What can be put back at a path: a file with its permission bits, or a link with what it says. */
export type WorkspaceEntry =
  | { readonly kind: 'file'; readonly bytes: Buffer; readonly mode: number }
  | { readonly kind: 'link'; readonly target: string }

/** The only way our own code reads or writes the user's files: confined to the root, following no link out of it. */
export interface Workspace {
  /** Absolute, real path of the work tree. */
  readonly root: string
  /** A user's or model's spelling (relative, absolute, `./`) to a path relative to the root with `/`; throws `outside`. */
  relative(path: string): string
  /** Whole file. Throws WorkspaceError (`not-found`, `too-large` over `maxBytes`, default 64 MiB). */
  read(path: string, options?: { readonly maxBytes?: number }): Promise<Buffer>
  /** Undefined when there is nothing. Does not follow a link at the last component. */
  stat(
    path: string,
  ): Promise<
    { kind: 'file' | 'directory' | 'link' | 'other'; bytes: number; modifiedMs: number; mode: number } | undefined
  >
  /**
   * Writes a whole file: temporary file beside it, fsync, rename; keeps the mode; makes missing folders. `mode`: the
   * permission bits of a file that is made (default 0644 less the umask), so that a moved script stays executable.
   */
  write(path: string, bytes: Buffer, options?: { readonly mode?: number }): Promise<void>
  remove(path: string): Promise<void>
  /** For undo: puts exactly this there, in place of any file or link; makes missing folders. Not synced to the disk. */
  restore(path: string, entry: WorkspaceEntry): Promise<void>
  /** Removes a folder that holds nothing; false where it holds something, or is no folder. */
  removeEmptyFolder(path: string): Promise<boolean>
  /** Names in a folder, folders with a trailing `/`, sorted. */
  list(path: string): Promise<string[]>
}
