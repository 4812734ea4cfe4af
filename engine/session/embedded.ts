/** An embedded model: an Engine that knows tokens and a Dialect that knows how to talk with them. */
import type { Dialect } from '../dialect.ts'
import { onGpu } from '../embedded/memory.ts'
import type { Engine } from '../engine.ts'
import { markOf } from '../kv/mark.ts'
import type { Segment } from '../messages.ts'
import type { Model, ModelInfo, ModelReadings, ModelSession, Sampling } from '../model.ts'
import type { EmbeddedModel } from './embedded-model.ts'
import { embeddedSession } from './embedded-session.ts'
import { tokenLedger } from './ledger.ts'
import { sequencePool } from './pool.ts'
import { prefixLedger } from './prefix-ledger.ts'
import { type KeptReadings, openReadings, type Readings } from './readings.ts'
import { callIds } from './reply.ts'
import { type Stops, stopsOf } from './stop-text.ts'

export interface EmbeddedOptions {
  readonly engine: Engine
  readonly dialect: Dialect
  /** What only the catalog knows of the model; the rest is told by engine and dialect. */
  readonly info: Pick<ModelInfo, 'name' | 'finishes' | 'prompt' | 'effort'>
  /** The model's measured settings; a request may override them. */
  readonly sampling: Sampling
  /** Where what was read is kept. Absent: nowhere. */
  readonly kept?: KeptReadings
  /**
   * Sequences that stay in the cache when their session is closed, so that a later one whose tokens begin the same goes
   * on from there. The engine needs two more. Default: none.
   */
  readonly keepSequences?: number
}

/** The model owns the engine from here on: `close` closes it. */
export function openEmbedded({ engine, dialect, info, sampling, kept, keepSequences = 0 }: EmbeddedOptions): Model {
  let stops: Promise<Stops> | undefined
  const readings = kept === undefined ? undefined : openReadings(engine, info.name, kept)
  const pool = keepSequences === 0 ? undefined : sequencePool(engine, readings?.restore, keepSequences)
  const model: EmbeddedModel = {
    engine,
    dialect,
    sampling,
    readings,
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
      ...(info.effort !== undefined && { effort: info.effort }),
      contextTokens: engine.info.contextTokens,
      rewind: engine.info.rewind,
      finishes: info.finishes,
      prompt: info.prompt,
      // Three beside the conversation itself: as many sequences as an engine has where nobody says otherwise. On a CPU three at
      // once take as long as three after each other, and longer where much is copied (npm run bench -- tries).
      ...(engine.info.rewind === 'free' && onGpu() && { together: 3 }),
    },
  }
  return {
    info: model.info,
    async countTokens(text) {
      return (await engine.tokenize(text, { control: false })).length
    },
    ...(readings !== undefined && { readings: aboutReadings(engine, dialect, readings) }),
    async start(prefix: readonly Segment[]): Promise<ModelSession> {
      const ids = callIds()
      const { ledger, ends } = await prefixLedger(engine, dialect, prefix, ids)
      return embeddedSession(model, { ledger, ids, ends, ...(pool !== undefined && { cache: pool.lease() }) })
    },
    async close() {
      await readings?.settled()
      await engine.close()
    },
  }
}

function aboutReadings(engine: Engine, dialect: Dialect, readings: Readings): ModelReadings {
  return {
    tokensPerSecond: readings.tokensPerSecond,
    async saved(prefix) {
      const ledger = tokenLedger(engine, dialect)
      for (const { messages } of prefix) for (const message of messages) await ledger.append(message)
      const tokens = ledger.tokens.length
      // What a reply would follow is one token longer at least, so that a reading of all of it counts, too.
      return { tokens, saved: await readings.saved([...ledger.tokens, ...(await ledger.opening())]) }
    },
    async mark(prefix) {
      const { ledger, ends } = await prefixLedger(engine, dialect, prefix, callIds())
      return markOf(ledger.tokens.slice(ends.at(-2) ?? 0))
    },
  }
}
