/** A small engine for tests: one token a character, control tokens by name, replies from a function. */
import { setImmediate as turnOfLoop } from 'node:timers/promises'
import { type Engine, EngineError, type GeneratedToken, type Sequence } from '../../engine/index.ts'

/** Special tokens that have text in a reply (user-defined ones), and control tokens, which have none. */
const userDefined = ['<tool_call>', '</tool_call>', '<think>', '</think>']
const ends = ['<|im_end|>', '<|endoftext|>', '<|call|>', '<|return|>', '<|user|>', '<|observation|>']
const controls = [
  ...['<|im_start|>', '<|im_end|>', '<|endoftext|>', ...userDefined],
  ...['<|start|>', '<|channel|>', '<|message|>', '<|end|>', '<|call|>', '<|return|>', '<|assistant|>', '<|user|>'],
  '<|observation|>',
]
const firstControl = 0x200000

export const imEnd = firstControl + 1

export function encode(text: string, control = true): number[] {
  const ids: number[] = []
  let at = 0
  while (at < text.length) {
    const found = control ? controls.findIndex((name) => text.startsWith(name, at)) : -1
    if (found !== -1) {
      ids.push(firstControl + found)
      at += controls[found]!.length
    } else {
      const point = text.codePointAt(at)!
      ids.push(point)
      at += String.fromCodePoint(point).length
    }
  }
  return ids
}

export function decode(tokens: readonly number[]): string {
  return tokens.map((id) => controls[id - firstControl] ?? String.fromCodePoint(id)).join('')
}

export interface FakeOptions {
  /** The reply to a prompt, as text; `<|im_end|>` in it ends the reply. */
  readonly reply: (prompt: string) => string
  readonly contextTokens?: number
  readonly rewind?: 'free' | 'checkpoint'
  /** Called before each evaluated batch and each sampled token. */
  readonly onStep?: (step: { readonly kind: 'prefill' | 'token'; readonly count: number }) => void
}

export interface FakeEngine extends Engine {
  /** The prompts of all `generate` calls. */
  readonly prompts: number[][]
  /** Tokens evaluated in all. */
  readonly evaluated: () => number
  readonly open: () => number
}

const batch = 16

export function fakeEngine(options: FakeOptions): FakeEngine {
  const prompts: number[][] = []
  let evaluated = 0
  let open = 0
  let count = 0
  const contextTokens = options.contextTokens ?? 10_000

  function sequence(initial: readonly number[]): Sequence {
    const cache = [...initial]
    /** How many of them are evaluated. */
    let resident = cache.length
    const catchUp = () => {
      evaluated += cache.length - resident
      resident = cache.length
    }
    let dead = false
    open += 1
    const step = (kind: 'prefill' | 'token') => {
      count += 1
      try {
        options.onStep?.({ kind, count })
      } catch (error) {
        dead = true
        throw error
      }
    }
    const alive = () => {
      if (dead) throw new EngineError('died', 'The engine host is gone.')
    }
    return {
      get length() {
        return cache.length
      },
      get evaluated() {
        return resident
      },
      score: async ({ length }) => ({
        alternatives: [],
        bytes: new Int32Array(length),
        logprobs: new Float32Array(length),
      }),
      checkpoint: async () => undefined,
      async prefill(tokens, { signal, onProgress }) {
        alive()
        catchUp()
        for (let at = 0; at < tokens.length; at += batch) {
          await turnOfLoop()
          step('prefill')
          if (signal.aborted) throw new EngineError('aborted', 'aborted')
          const part = tokens.slice(at, at + batch)
          cache.push(...part)
          catchUp()
          onProgress?.(at + part.length)
        }
      },
      async *generate(last, { maxTokens, signal, logprobs }): AsyncGenerator<GeneratedToken> {
        alive()
        cache.push(last)
        catchUp()
        prompts.push([...cache])
        const tokens = encode(options.reply(decode(cache)))
        for (const [index, token] of tokens.slice(0, maxTokens).entries()) {
          await turnOfLoop()
          step('token')
          if (signal.aborted) throw new EngineError('aborted', 'aborted')
          if (cache.length >= contextTokens) throw new EngineError('context-full', 'full')
          if (index > 0) {
            cache.push(tokens[index - 1]!)
            resident = cache.length
          }
          const control = controls[token - firstControl]
          const end = control !== undefined && ends.includes(control)
          const text = control !== undefined && !userDefined.includes(control) ? '' : decode([token])
          yield { token, text, end, ...(logprobs ? { logprob: -1 } : {}) }
          if (end) return
        }
      },
      async rewind(length) {
        if (length >= cache.length) return
        cache.length = length
        // The only checkpoint is the beginning.
        resident = options.rewind === 'checkpoint' ? 0 : Math.min(resident, length)
      },
      fork: async () => sequence(cache),
      save: async () => undefined,
      load: async () => [],
      async close() {
        open -= 1
      },
    }
  }

  return {
    info: {
      libraryVersion: 'fake',
      architecture: 'fake',
      vocabularySize: firstControl + controls.length,
      contextTokens,
      rewind: options.rewind ?? 'free',
      identity: 'fake',
      stateKey: 'fake',
    },
    prompts,
    evaluated: () => evaluated,
    open: () => open,
    tokenize: async (text, { control }) => encode(text, control),
    sequence: async () => sequence([]),
    close: async () => undefined,
  }
}
