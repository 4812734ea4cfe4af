/** Flags of `run` as commander gives them; those that are settings are read by the configuration. */
export interface RunFlags extends Readonly<Record<string, unknown>> {
  readonly cwd?: string
  readonly json?: boolean
  readonly outputFormat?: string
  readonly quiet?: boolean
  readonly patch?: string
  readonly commit?: boolean
  readonly resume?: string
  readonly worktree?: boolean
  readonly dryRun?: boolean
  readonly outputSchema?: string
  readonly image?: readonly string[]
  readonly bestOf?: string
  readonly color?: boolean
}
