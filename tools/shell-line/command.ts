/** One program that the line starts, wherever in it: in a pipeline, a list, a loop, a substitution. */
export interface ShellCommand {
  /** The words as the program gets them; null for one that is known only when it runs. */
  readonly words: readonly (string | null)[]
}
