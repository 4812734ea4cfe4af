import type { Dialect } from '../dialect.ts'
import type { Engine } from '../engine.ts'
import type { ModelInfo, Sampling } from '../model.ts'
import type { Readings } from './readings.ts'
import type { Stops } from './stop-text.ts'

/** What a session needs of its model. */
export interface EmbeddedModel {
  readonly engine: Engine
  readonly dialect: Dialect
  readonly info: ModelInfo
  readonly sampling: Sampling
  readonly readings: Readings | undefined
  /** Looked up once, with the first reply. */
  stops(): Promise<Stops>
}
