/** What to start, and how its end is known. */
export interface SpawnPlan {
  /** Absolute path. Started without a shell. */
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /**
   * Bytes for descriptors from 3 on. On `status` bwrap reports; on `gate` the command says that it is ready and waits
   * for an answer.
   */
  readonly input: readonly (Buffer | 'status' | 'gate')[]
  /** Asked at the gate, with the first process inside: what is wrong with the box, or undefined when the command may begin. */
  readonly check?: (pid: number | undefined) => string | undefined
  /** `namespace`: all processes die with the first one. `group`: a process group, and a sweep for what left it. */
  readonly tree: 'namespace' | 'group'
}
