/** What a slash command is. */
import type { Usage } from '../../../engine/index.ts'
import type { Desk } from '../desk.ts'
import type { Turns } from '../turns.ts'

export interface Command {
  readonly name: string
  /** What follows the name, for help: `[name]`. */
  readonly takes?: string
  /** One line. */
  readonly help: string
  /** Words that can follow, for completion. */
  readonly choices?: () => readonly string[]
  run(rest: string, context: CommandContext): void | Promise<void>
}

export interface CommandContext {
  readonly desk: Desk
  readonly turns: Turns
  readonly commands: readonly Command[]
  readonly totals: Totals
}

/** What the session has used so far. */
export interface Totals {
  turns: number
  usage: Usage
}
