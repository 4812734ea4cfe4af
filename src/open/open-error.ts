import type { ExitReason } from '../../agent/index.ts'

/** What a session needs could not be opened. `message` says what happened and the command that fixes it. */
export class OpenError extends Error {
  override readonly name = 'OpenError'
  readonly exit: ExitReason
  constructor(exit: ExitReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.exit = exit
  }
}
