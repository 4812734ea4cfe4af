/** Opens a session: log, context and model brought together. */
import type { Session, SessionOptions } from './options.ts'

/**
 * Opens a new session (or an earlier one, with `resume`). Reads nothing by the model yet: the first `send` does.
 * Rejects with an Error whose message names the fix when the root is no folder, the state folder cannot be written, or
 * the log to resume is damaged.
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  throw new Error(`The session for ${options.root} cannot be opened: the loop is being built.`)
}
