/**
 * Sequences that outlive their session: a later session whose tokens begin the same goes on from there. For a server,
 * whose every request is a session of its own.
 */
import { type Engine, EngineError } from '../engine.ts'
import { commonLength, type Restore, type SequenceCache, sequenceCache } from './cache.ts'

export interface SequencePool {
  /** A cache for one session. What it holds at its `close` stays for others. */
  lease(): SequenceCache
}

/** Fewer equal tokens than this are no reason to take a sequence that another conversation may go on with. */
const leastShared = 16
/** A shorter tail is cut off instead of being kept by a fork: reading it again costs little. */
const shortTail = 256

/** Keeps at most `most` sequences that nobody uses; needs as many slots, one for each lease and one for saving. */
export function sequencePool(engine: Engine, restore: Restore | undefined, most: number): SequencePool {
  /** The last used first. */
  const idle: SequenceCache[] = []
  /** Tokens that each lease may come to need. */
  const busy = new Map<SequenceCache, number>()
  let turn: Promise<unknown> = Promise.resolve()

  /** One change at a time: nobody takes, forks or closes what another is about to. */
  function alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = turn.then(work)
    turn = mine.catch(() => undefined) // told to whom it belongs
    return mine
  }

  async function evict(cache: SequenceCache): Promise<void> {
    idle.splice(idle.indexOf(cache), 1)
    await cache.forget()
  }

  /** The longest unused are closed until there is room; what the new one goes on from is the last to go. */
  async function makeRoom(tokens: number, spare: SequenceCache | undefined): Promise<void> {
    const held = (): number => idle.reduce((sum, cache) => sum + cache.tokens.length, 0)
    const own = spare?.tokens.length ?? 0
    const others = [...busy.values()].reduce((sum, each) => sum + each, 0)
    while (held() - own + others + tokens > engine.info.contextTokens) {
      const oldest = idle.findLast((cache) => cache !== spare)
      if (oldest === undefined) return
      await evict(oldest)
    }
  }

  /** Ours alone: an idle one, a fork of it, or a new one. `reserve`: tokens that will follow the prompt. */
  async function take(prompt: readonly number[], reserve: number): Promise<SequenceCache> {
    const shared = (cache: SequenceCache): number => commonLength(cache.tokens, prompt)
    const best = idle.toSorted((a, b) => shared(b) - shared(a))[0]
    const common = best === undefined ? 0 : shared(best)
    const wanted = prompt.length + reserve
    if (best === undefined || common < leastShared) {
      await makeRoom(wanted, undefined)
      return sequenceCache(engine, restore)
    }
    await makeRoom(wanted, best)
    const tail = best.tokens.length - common
    // With both there must be room for the tail, too.
    if (tail > shortTail && engine.info.rewind === 'free' && wanted + tail <= engine.info.contextTokens) {
      try {
        return await best.fork()
      } catch (error) {
        // All slots are taken: the tail is given up.
        if (!(error instanceof EngineError) || error.kind !== 'misuse') throw error
      }
    }
    idle.splice(idle.indexOf(best), 1)
    return best
  }

  function lease(): SequenceCache {
    let own: SequenceCache | undefined
    const leased: SequenceCache = {
      get sequence() {
        return own?.sequence
      },
      get tokens() {
        return own?.tokens ?? []
      },
      async align(prompt, reserve = 0) {
        own ??= await alone(async () => {
          const taken = await take(prompt, reserve)
          busy.set(leased, prompt.length + reserve)
          return taken
        })
        return await own.align(prompt)
      },
      holds: (tokens) => own?.holds(tokens),
      forget: async () => own?.forget(),
      fork: async () => (own === undefined ? lease() : await own.fork()),
      async close() {
        const cache = own
        own = undefined
        await alone(async () => {
          busy.delete(leased)
          if (cache?.sequence === undefined) return
          idle.unshift(cache)
          while (idle.length > most) await evict(idle.at(-1)!)
        })
      },
    }
    return leased
  }

  return { lease }
}
