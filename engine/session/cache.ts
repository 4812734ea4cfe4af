/** One engine sequence and the tokens that are known to be in its KV cache. */
import type { Engine, Sequence } from '../engine.ts'

export interface SequenceCache {
  /** The open one, if there is one. */
  readonly sequence: Sequence | undefined
  /** What is known to be in it. */
  readonly tokens: readonly number[]
  /**
   * The sequence, holding nothing but a beginning of `prompt` shorter than it (its last token is evaluated with the
   * first generated one). All of it is evaluated: where a model goes back to a checkpoint only, it holds that much.
   * `reserve`: tokens that may follow the prompt, for a cache that shares its room with others.
   */
  align(prompt: readonly number[], reserve?: number): Promise<Sequence>
  /** Tells what was evaluated since: the cache holds the first `length` of these tokens. */
  holds(tokens: readonly number[]): void
  /** After a failure that leaves the sequence in doubt: the next `align` opens a new one. */
  forget(): Promise<void>
  fork(): Promise<SequenceCache>
  close(): Promise<void>
}

/** Puts a saved reading of the prompt into the sequence where that spares work; see Readings.restore. */
export type Restore = (
  sequence: Sequence,
  prompt: readonly number[],
  held: number,
) => Promise<readonly number[] | undefined>

export function sequenceCache(
  engine: Engine,
  restore: Restore = async () => undefined,
  sequence?: Sequence,
  known: readonly number[] = [],
): SequenceCache {
  let current = sequence
  let tokens = [...known]

  async function forget(): Promise<void> {
    const lost = current
    current = undefined
    tokens = []
    try {
      await lost?.close()
    } catch {
      // The sequence died with its host; there is nothing left to close.
    }
  }

  return {
    get sequence() {
      return current
    },
    get tokens() {
      return tokens
    },
    forget,
    async align(prompt) {
      current ??= await engine.sequence()
      // After the death of the host nothing is evaluated, whatever the sequence still knows.
      let common = Math.min(commonLength(tokens, prompt), current.evaluated)
      const restored = await restore(current, prompt, common)
      if (restored !== undefined) {
        tokens = [...restored]
        return current
      }
      // A reading that turned out to be another's was thrown away, and with it what was there before.
      common = Math.min(common, current.length)
      if (current.length > common) await current.rewind(common)
      // What a checkpoint did not bring back is read with the rest, so that its progress is seen.
      if (current.evaluated < common) {
        common = current.evaluated
        await current.rewind(common)
      }
      tokens.length = common
      return current
    },
    holds(evaluated) {
      tokens = evaluated.slice(0, current?.length ?? 0)
    },
    async fork() {
      // As they are now: what is asked for next may change them before the copy is there.
      const held = [...tokens]
      return sequenceCache(engine, restore, await current?.fork(), held)
    },
    async close() {
      const open = current
      current = undefined
      tokens = []
      await open?.close()
    },
  }
}

/** How many tokens at the beginning are the same; at most all of `b` but its last. */
export function commonLength(a: readonly number[], b: readonly number[]): number {
  const most = Math.max(0, Math.min(a.length, b.length - 1))
  let length = 0
  while (length < most && a[length] === b[length]) length += 1
  return length
}
