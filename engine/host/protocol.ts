/**
 * What client and host say to each other over the child process's IPC channel (structured clone). Private: both sides
 * come from the same build, which the `hello` makes sure of. Sequences are numbered slots; the client hands them out.
 */
import type { Alternative, EngineErrorKind, Grammar, KvType } from '../engine.ts'
import type { Sampling } from '../model.ts'

/** Raise with every change of the messages. */
export const protocolVersion = 7

/**
 * The host's descriptor of a file of `stopBytes` bytes that the client has open, too. The client sends `abort` and then
 * writes a first byte that is not zero: the running batch stops, whatever the host is doing, and then reads its messages.
 */
export const stopDescriptor = 4
export const stopBytes = 8

/** The host's memory that checkpoints may take, over all sequences. */
export const defaultCheckpointBytes = 1024 ** 3

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
  readonly cpuExperts: boolean | number
  readonly kvType: KvType
  readonly adapter: { readonly file: string; readonly scale: number } | undefined
  readonly checkpointBytes: number
  readonly rollbackTokens: number
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
  readonly stopTokens: readonly number[]
  readonly grammar: Grammar | undefined
  readonly hints: Int32Array | undefined
  readonly speculate: boolean
}

export interface PrefillRequest {
  readonly op: 'prefill'
  readonly slot: number
  readonly length: number
  readonly tokens: Int32Array
  readonly checkpoints: readonly number[]
}

export interface ScoreRequest {
  readonly op: 'score'
  readonly slot: number
  readonly length: number
  /** All but the final one are evaluated. */
  readonly tokens: Int32Array
  /** How many tokens are looked at in each place, the likeliest first. */
  readonly most: number
}

export type Operation =
  | OpenRequest
  | { readonly op: 'tokenize'; readonly text: string; readonly control: boolean }
  | PrefillRequest
  | GenerateRequest
  | ScoreRequest
  | { readonly op: 'checkpoint'; readonly slot: number }
  /**
   * Drops tokens from `length` on; none are dropped when there are no more than that. Where the model's memory cannot
   * go back to that place, it goes to the last checkpoint before.
   */
  | { readonly op: 'rewind'; readonly slot: number; readonly length: number }
  | { readonly op: 'fork'; readonly from: number; readonly to: number }
  | { readonly op: 'save'; readonly slot: number; readonly file: string; readonly tokens: Int32Array }
  | { readonly op: 'load'; readonly slot: number; readonly file: string }
  /** What the machine has to compute with; needs no model. */
  | { readonly op: 'devices' }
  /** Reads memory for so many milliseconds with so many threads. */
  | { readonly op: 'bandwidth'; readonly ms: number; readonly threads: number }

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
  generate: {
    readonly length: number
    readonly reason: 'end' | 'length' | 'aborted'
    readonly drafted: number
    readonly accepted: number
    readonly batchCosts: ReadonlyMap<number, number>
    readonly grammarProblem: string | undefined
  }
  score: {
    readonly length: number
    /** What the model would rather have said, or nearly, in the place of a token; never in that of the first. */
    readonly alternatives: readonly Alternative[]
    /** Of each token its length in bytes. */
    readonly bytes: Int32Array
    /** Of each token but the first, as it stands. */
    readonly logprobs: Float32Array
  }
  checkpoint: { readonly length: number }
  rewind: { readonly length: number }
  fork: { readonly length: number }
  save: { readonly bytes: number }
  load: { readonly tokens: Int32Array }
  devices: readonly Device[]
  bandwidth: { readonly bytesPerSecond: number }
}

/** Something that computes: memory in bytes (of a CPU: the machine's). */
export interface Device {
  readonly name: string
  readonly description: string
  readonly kind: 'cpu' | 'gpu' | 'integrated-gpu' | 'accelerator'
  readonly freeBytes: number
  readonly totalBytes: number
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
