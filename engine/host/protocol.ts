/**
 * What client and host say to each other over the child process's IPC channel (structured clone). Private: both sides
 * come from the same build, which the `hello` makes sure of. Sequences are numbered slots; the client hands them out.
 */
import type { EngineErrorKind } from '../engine.ts'
import type { Sampling } from '../model.ts'

/** Raise with every change of the messages. */
export const protocolVersion = 2

export interface OpenRequest {
  readonly op: 'open'
  readonly file: string
  /** Identity of the model for saved states. */
  readonly identity: string
  readonly architecture: string
  readonly contextTokens: number
  readonly sequences: number
  readonly threads: number | undefined
  readonly gpuLayers: number | undefined
}

export interface GenerateRequest {
  readonly op: 'generate'
  readonly slot: number
  /** Tokens the client believes to be in the slot: a mismatch is refused, never papered over. */
  readonly length: number
  readonly last: number
  readonly sampling: Sampling
  readonly maxTokens: number
  readonly logprobs: boolean
}

export type Operation =
  | OpenRequest
  | { readonly op: 'tokenize'; readonly text: string; readonly control: boolean }
  | { readonly op: 'prefill'; readonly slot: number; readonly length: number; readonly tokens: Int32Array }
  | GenerateRequest
  /**
   * Drops tokens from `length` on; none are dropped when there are no more than that. Where the model's memory cannot
   * go back to that place it is refused, or, with `orClear`, everything is dropped.
   */
  | { readonly op: 'rewind'; readonly slot: number; readonly length: number; readonly orClear: boolean }
  | { readonly op: 'fork'; readonly from: number; readonly to: number }
  | { readonly op: 'save'; readonly slot: number; readonly file: string; readonly tokens: Int32Array }
  | { readonly op: 'load'; readonly slot: number; readonly file: string }

export interface Opened {
  readonly libraryVersion: string
  readonly vocabularySize: number
  /** Tokens that one sequence can hold. */
  readonly contextTokens: number
  readonly rewind: 'free' | 'checkpoint'
  /** What a saved state depends on. */
  readonly stateKey: string
}

/** What each operation answers. */
export interface Answers {
  open: Opened
  tokenize: Int32Array
  prefill: { readonly length: number }
  generate: { readonly length: number; readonly reason: 'end' | 'length' | 'aborted' }
  rewind: { readonly length: number }
  fork: { readonly length: number }
  save: { readonly bytes: number }
  load: { readonly tokens: Int32Array }
}

export interface Failure {
  readonly kind: EngineErrorKind
  readonly message: string
  /** Tokens left in the slot, where the operation changed it. */
  readonly length?: number
}

export type ToHost =
  | { readonly type: 'request'; readonly id: number; readonly operation: Operation }
  | { readonly type: 'abort'; readonly id: number }

/** Tokens of one generation since the last message of this kind; the three lists run side by side. */
export interface TokensEvent {
  readonly type: 'tokens'
  readonly id: number
  readonly tokens: readonly number[]
  readonly texts: readonly string[]
  /** Empty unless asked for. */
  readonly logprobs: readonly number[]
  /** Whether the last of them ends the generation. */
  readonly end: boolean
}

export type FromHost =
  | { readonly type: 'hello'; readonly protocol: number }
  | { readonly type: 'progress'; readonly id: number; readonly done: number }
  | TokensEvent
  /** The number of threads has changed, of at most so many. */
  | { readonly type: 'threads'; readonly threads: number; readonly most: number }
  | { readonly type: 'answer'; readonly id: number; readonly value: Answers[keyof Answers] }
  | { readonly type: 'failure'; readonly id: number; readonly failure: Failure }

/** Written to stderr before a failure is sent, so that the client knows when it has read all that led to it. */
export const logMark = (id: number): string => `\u0002cachalot ${id}\u0003\n`
