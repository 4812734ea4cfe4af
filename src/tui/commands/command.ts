/** What a slash command is. */
import type { Desk } from '../desk.ts'
import type { Turns } from '../turns.ts'
import type { Totals } from './totals.ts'

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
