/** What a session does with the store of saved readings: takes the longest one that fits, keeps new ones. */
import { type Engine, EngineError, type Sequence } from '../engine.ts'
import type { KvStore, ModelEntries } from '../kv/store.ts'

/** Where readings are kept, and who hears of it. */
export interface KeptReadings {
  readonly store: KvStore
  /** Once it aborts nothing more is saved, and what is being saved is not waited for. */
  readonly signal: AbortSignal
  /** A line for a person: a reading could not be kept. */
  readonly onNotice: (text: string) => void
}

export interface Readings {
  /** Loads the longest saved reading of the prompt where it spares enough; gives its tokens. */
  restore(sequence: Sequence, prompt: readonly number[], held: number): Promise<readonly number[] | undefined>
  /** Tokens of the longest saved reading that is shorter than these. */
  saved(tokens: readonly number[]): Promise<number>
  /** Saves what a sequence holds, if it is not there yet. Problems are told, not thrown, but for a dead engine. */
  keep(sequence: Sequence, tokens: readonly number[]): Promise<void>
  /** Saves beginnings of what a sequence of our own holds, the longest first, while other work goes on; closes it. */
  keepLater(sequence: Sequence, tokens: readonly number[], lengths: readonly number[]): void
  /** Takes notice of how fast tokens were evaluated. */
  measured(tokens: number, seconds: number): Promise<void>
  tokensPerSecond(): Promise<number | undefined>
  /** Waits for what `keepLater` began. */
  settled(): Promise<void>
}

/** A saved reading that spares fewer tokens is not looked for: reading them costs about as much as opening a file. */
const leastSpared = 128
/** Tokens between two checkpoints of a long prefix: a change in its middle costs at most these and what follows. */
const stride = 16_384
/** Fewer tokens than this since the reading before are not worth a file, unless they took long. */
export const leastKept = { tokens: 1024, slowTokens: 256, slowSeconds: 2 }
/** Speeds are measured over at least so many tokens: less says more of the start than of the reading. */
const leastMeasured = 256

/**
 * Where to save: the ends of the prefix's segments and every ~16k tokens of it, less what was in the cache before and
 * what is too short. `ends`: lengths, ascending. `seconds`: what reading from `cached` to the last end took, if known.
 */
export function placesToKeep(ends: readonly number[], cached: number, seconds = 0): number[] {
  const last = ends.at(-1) ?? 0
  const fresh = last - cached
  const worth = fresh >= leastKept.tokens || (fresh >= leastKept.slowTokens && seconds >= leastKept.slowSeconds)
  if (!worth) return []
  const strides = Array.from({ length: Math.floor(last / stride) }, (_, i) => (i + 1) * stride)
  const near = (length: number): boolean => ends.some((end) => Math.abs(end - length) < stride / 4)
  const places = new Set([...ends, ...strides.filter((length) => !near(length))])
  return [...places].filter((length) => length > cached && length >= leastKept.slowTokens).sort((a, b) => a - b)
}

/** The beginning of a text that takes turns of reading and saving: the next place after `length`. */
export const nextStride = (length: number): number => (Math.floor(length / stride) + 1) * stride

export function openReadings(engine: Engine, name: string, { store, signal, onNotice }: KeptReadings): Readings {
  const entries: ModelEntries = store.forModel(engine.info.stateKey, name)
  let work: Promise<void> = Promise.resolve()
  let told = false

  /** Once: a full disk stays full. */
  const tell = (error: unknown): void => {
    if (told || signal.aborted) return
    told = true
    const why = error instanceof Error ? error.message : String(error)
    onNotice(`What was read could not be kept for the next time: ${why}`)
  }

  async function keep(sequence: Sequence, tokens: readonly number[]): Promise<void> {
    if (signal.aborted) return
    try {
      await entries.keep(tokens, (file) => sequence.save(file))
    } catch (error) {
      if (error instanceof EngineError && error.kind === 'died') throw error
      tell(error)
    }
  }

  return {
    async restore(sequence, prompt, held) {
      if (prompt.length - held < leastSpared) return undefined
      for (const entry of await entries.find(prompt)) {
        if (entry.tokens - held < leastSpared) return undefined
        try {
          const tokens = await sequence.load(entry.file)
          // The name is only a name; a file may have been put under another's.
          if (tokens.length === entry.tokens && tokens.every((token, at) => token === prompt[at])) {
            await entries.used(entry)
            return tokens
          }
          await sequence.rewind(0)
        } catch (error) {
          if (!(error instanceof EngineError) || error.kind !== 'bad-state') throw error
        }
        await entries.remove(entry)
        held = 0
      }
      return undefined
    },
    saved: async (tokens) => (await entries.find(tokens))[0]?.tokens ?? 0,
    keep,
    keepLater(sequence, tokens, lengths) {
      work = (async () => {
        await work
        try {
          for (const length of lengths.toSorted((a, b) => b - a)) {
            if (signal.aborted) break
            if (sequence.length > length) await sequence.rewind(length)
            await keep(sequence, tokens.slice(0, length))
          }
        } catch (error) {
          tell(error)
        } finally {
          await sequence.close().catch(() => undefined) // its host is gone, and the sequence with it
        }
      })()
    },
    async measured(tokens, seconds) {
      if (tokens < leastMeasured || seconds <= 0) return
      await entries.noteSpeed(tokens / seconds).catch(tell)
    },
    tokensPerSecond: async () => (await entries.note())?.tokensPerSecond,
    async settled() {
      if (!signal.aborted) await Promise.race([work, aborted(signal)])
    },
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
