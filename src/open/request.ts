import type { Config } from '../config/settings.ts'
import type { Paths } from '../paths.ts'

/** What opening a model needs to know, and whom it tells. */
export interface OpenModelRequest {
  readonly config: Config
  readonly paths: Paths
  readonly signal: AbortSignal
  /** Once it aborts, what was read is not kept any more; default: `signal`. */
  readonly keepUntil?: AbortSignal
  /** Whether a person is there to be asked which model to fetch. */
  readonly mayAsk: boolean
  /** For a server: conversations that stay in the cache while others are answered, and answers given at once. */
  readonly keepSequences?: number
  readonly parallel?: number
  /** Whether passing lines are seen. */
  readonly animated: boolean
  /** A passing line: download, weights being read. Undefined: over. */
  readonly onStatus: (text: string | undefined) => void
  /** A lasting line: where a file comes from, a host restarted. */
  readonly onNotice: (level: 'info' | 'warning', text: string) => void
}
