import type * as z from 'zod'

/** One setting: where it can stand, how it is read, who may set it. */
export interface Setting<Value> {
  /** Dotted key in config.toml. */
  readonly key: string
  readonly env: string
  /** As commander writes flags; settings without one are for files and the environment. */
  readonly flag?: string
  readonly help: string
  /** How a flag or variable is read: as it stands, as a number, as a list divided by colons, or by commas and spaces. */
  readonly kind: 'text' | 'number' | 'list' | 'words'
  readonly schema: z.ZodType<Value>
  /** What holds where nothing is set; undefined leaves the choice to the model or the loop. */
  readonly fallback?: Value
  /**
   * Whether `.cachalot/config.toml` of a repository may set it. A repository is not trusted: it may not choose
   * binaries, files outside, addresses, secrets or how far commands reach.
   */
  readonly repository: boolean
  /** What the repository may set where not every value is allowed; gives the reason when it is not. */
  readonly repositoryRefuses?: (value: Value) => string | undefined
}
