/** An embedded model: an Engine that knows tokens and a Dialect that knows how to talk with them. */
import type { Dialect } from '../dialect.ts'
import type { Engine } from '../engine.ts'
import type { Segment } from '../messages.ts'
import type { Model, ModelInfo, ModelSession, Sampling } from '../model.ts'
import { embeddedSession } from './embedded-session.ts'
import { tokenLedger } from './ledger.ts'
import { callIds } from './reply.ts'
import { type Stops, stopsOf } from './stop-text.ts'

export interface EmbeddedOptions {
  readonly engine: Engine
  readonly dialect: Dialect
  /** What only the catalog knows of the model; the rest is told by engine and dialect. */
  readonly info: Pick<ModelInfo, 'name' | 'finishes' | 'prompt'>
  /** The model's measured settings; a request may override them. */
  readonly sampling: Sampling
}

/** What a session needs of its model. */
export interface EmbeddedModel {
  readonly engine: Engine
  readonly dialect: Dialect
  readonly info: ModelInfo
  readonly sampling: Sampling
  /** Looked up once, with the first reply. */
  stops(): Promise<Stops>
}

/** The model owns the engine from here on: `close` closes it. */
export function openEmbedded({ engine, dialect, info, sampling }: EmbeddedOptions): Model {
  let stops: Promise<Stops> | undefined
  const model: EmbeddedModel = {
    engine,
    dialect,
    sampling,
    async stops() {
      stops ??= stopsOf(engine, dialect)
      try {
        return await stops
      } catch (error) {
        // The host died meanwhile: the next reply asks again.
        stops = undefined
        throw error
      }
    },
    info: {
      name: info.name,
      place: 'embedded',
      dialect: dialect.name,
      contextTokens: engine.info.contextTokens,
      rewind: engine.info.rewind,
      finishes: info.finishes,
      prompt: info.prompt,
    },
  }
  return {
    info: model.info,
    async countTokens(text) {
      return (await engine.tokenize(text, { control: false })).length
    },
    async start(prefix: readonly Segment[]): Promise<ModelSession> {
      const session = embeddedSession(model, { ledger: tokenLedger(engine, dialect), ids: callIds() })
      await session.append(prefix.flatMap((segment) => segment.messages))
      return session
    },
    close: () => engine.close(),
  }
}
