import type { Checkpoint, Message } from '../engine/index.ts'

/** A place in a conversation to come back to. */
export interface Mark {
  readonly checkpoint: Checkpoint
  /** Digest over all that the model was given or had said. */
  readonly shown: string
  /** Everything since and including the last reply. */
  readonly recent: readonly Message[]
  /** Messages before it. */
  readonly count: number
}
