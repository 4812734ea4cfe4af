import { EngineError } from '../engine.ts'
import type { Failure } from '../host/protocol.ts'

/** A failure that the host told of, with the number of tokens that are left in the sequence. */
export class HostFailure extends EngineError {
  readonly length: number | undefined
  constructor(failure: Failure) {
    super(failure.kind, failure.message)
    this.length = failure.length
  }
}
