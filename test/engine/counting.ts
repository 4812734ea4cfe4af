/** The real engine, with a count of all tokens that its host had to evaluate besides those of replies. */
import { type Engine, type EngineOptions, openEngine, type Sequence } from '../../engine/index.ts'

export interface CountingEngine {
  readonly engine: Engine
  /** Tokens of prompts in all: also those that were evaluated again, unseen, after going back. */
  readonly evaluated: () => number
  /** Called once, when the next reading of a prompt begins. */
  onReading: (() => void) | undefined
}

export async function countingEngine(options: EngineOptions): Promise<CountingEngine> {
  const engine = await openEngine(options)
  let count = 0

  function counted(sequence: Sequence): Sequence {
    /** What the sequence evaluates again by itself before it is used. */
    const catchUp = (): void => {
      count += sequence.length - sequence.evaluated
    }
    return {
      get length() {
        return sequence.length
      },
      get evaluated() {
        return sequence.evaluated
      },
      async prefill(tokens, more) {
        catchUp()
        const before = sequence.length
        const { onReading } = counting
        counting.onReading = undefined
        onReading?.()
        let done = 0
        try {
          const onProgress = (now: number): void => {
            done = now
            more.onProgress?.(now)
          }
          await sequence.prefill(tokens, { ...more, onProgress })
        } finally {
          count += Math.max(done, sequence.length - before)
        }
      },
      async *generate(last, more) {
        catchUp()
        count += 1
        yield* sequence.generate(last, more)
      },
      score: (tokens, more) => sequence.score(tokens, more),
      checkpoint: () => sequence.checkpoint(),
      rewind: (length) => sequence.rewind(length),
      async fork() {
        catchUp()
        return counted(await sequence.fork())
      },
      save: (file) => sequence.save(file),
      load: (file) => sequence.load(file),
      close: () => sequence.close(),
    }
  }

  const counting: CountingEngine = {
    onReading: undefined,
    engine: {
      ...engine,
      info: engine.info,
      tokenize: (text, how) => engine.tokenize(text, how),
      sequence: async () => counted(await engine.sequence()),
      close: () => engine.close(),
    },
    evaluated: () => count,
  }
  return counting
}
