/** Tokens in, tokens out: what the embedded engine offers to the model session. Client side of the engine host. */
import type { Sampling } from './model.ts'

export interface EngineOptions {
  /** Absolute path of the GGUF file. */
  readonly file: string
  /** Context length in tokens, shared by all sequences. */
  readonly contextTokens: number
  /** At most this many threads; the host uses fewer while other work takes the cores. Undefined: all cores. */
  readonly threads?: number
  /** Sequences that may live at once (forks). */
  readonly sequences?: number
  /** 0 keeps everything on the CPU; undefined lets the library decide. */
  readonly gpuLayers?: number
  readonly signal?: AbortSignal
  /** 0..1 while weights are read. */
  readonly onLoad?: (fraction: number) => void
  /** A line for a person: threads lowered, host restarted. */
  readonly onNotice?: (text: string) => void
}

export interface EngineInfo {
  readonly libraryVersion: string
  readonly architecture: string
  readonly vocabularySize: number
  readonly contextTokens: number
  readonly rewind: 'free' | 'checkpoint'
  /** Size of the file in bytes and a digest of its header: the model's identity in cache keys. */
  readonly identity: string
  /** What a saved state depends on: identity, the library's version, the cache's number type. */
  readonly stateKey: string
}

export interface GenerateOptions {
  readonly sampling: Sampling
  readonly maxTokens: number
  readonly signal: AbortSignal
  readonly logprobs?: boolean
}

export interface GeneratedToken {
  readonly token: number
  /** Text that this token completes; empty while a character is unfinished and for control tokens. */
  readonly text: string
  /** True for an end-of-generation token: always the last one. */
  readonly end: boolean
  readonly logprob?: number
}

/** One line of tokens in the KV cache. Not for concurrent use. */
export interface Sequence {
  /** Tokens evaluated and in the cache. */
  readonly length: number
  /**
   * Evaluates tokens at the end. Stops inside a batch when the signal aborts: then `length` tells what stayed.
   * Rejects with EngineError.
   */
  prefill(
    tokens: readonly number[],
    options: { readonly signal: AbortSignal; readonly onProgress?: (done: number) => void },
  ): Promise<void>
  /**
   * Samples from the position after `last`, which is evaluated first (the last token of the prompt is kept back by the
   * caller so that its logits are computed here). Every yielded token but the final one is in the cache.
   */
  generate(last: number, options: GenerateOptions): AsyncIterable<GeneratedToken>
  /** Drops everything from `length` on. Throws EngineError where the model cannot. */
  rewind(length: number): Promise<void>
  fork(): Promise<Sequence>
  save(file: string): Promise<void>
  /** Replaces what the sequence holds by a saved state and gives its tokens. Rejects with `bad-state`; then nothing has changed. */
  load(file: string): Promise<readonly number[]>
  close(): Promise<void>
}

export interface Engine {
  readonly info: EngineInfo
  /** `control: true` only for text of our own in which control tokens are meant. No length of text crashes the host. */
  tokenize(text: string, options: { readonly control: boolean }): Promise<number[]>
  sequence(): Promise<Sequence>
  close(): Promise<void>
}

/** Everything that can go wrong below the Model, as a closed list. `message` says what happened and what to do. */
export class EngineError extends Error {
  override readonly name = 'EngineError'
  readonly kind: EngineErrorKind
  constructor(kind: EngineErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}

export type EngineErrorKind =
  | 'file-missing'
  | 'not-gguf'
  | 'truncated'
  | 'architecture'
  | 'memory'
  | 'context-too-long'
  | 'context-full'
  | 'library-missing'
  | 'library-layout'
  | 'bad-state'
  | 'died'
  | 'aborted'
  | 'misuse'
