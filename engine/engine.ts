/** Tokens in, tokens out: what the embedded engine offers to the model session. Client side of the engine host. */
import type { GrammarFolder, Sampling } from './model.ts'

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
  /**
   * Keeps the routed experts of all layers (true), or of the first so many, in the machine's memory and computes them on
   * the CPU, while the rest is on the GPU: a mixture of experts larger than the GPU's memory then still runs well.
   */
  readonly cpuExperts?: boolean | number
  /** Number format of the KV cache. q8_0 halves it, at a small loss; f16 where not given. */
  readonly kvType?: KvType
  /** Absolute path of a LoRA adapter (GGUF) for this model. */
  readonly adapter?: string
  /** How strongly the adapter counts; 1 where not given. */
  readonly adapterScale?: number
  /** Bytes of memory for checkpoints of models that cannot rewind freely; 1 GiB where not given. */
  readonly checkpointBytes?: number
  /**
   * Tokens that a DeepSeek V4 model can take back at once, so that drafts can be tried on it. Costs memory and time with every
   * token: where not given, it is what pays where the model is computed (embedded/rollback.ts).
   */
  readonly rollbackTokens?: number
  readonly signal?: AbortSignal
  /** 0..1 while weights are read. */
  readonly onLoad?: (fraction: number) => void
  /** A line for a person: threads lowered, host restarted. */
  readonly onNotice?: (text: string) => void
}

export type KvType = 'f16' | 'q8_0'

export interface EngineInfo {
  readonly libraryVersion: string
  readonly architecture: string
  readonly vocabularySize: number
  readonly contextTokens: number
  /** `checkpoint`: a rewind comes back to the last checkpoint before it and evaluates the rest again. */
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
  /** Tokens besides the model's own that end the generation; they are yielded with `end` true. */
  readonly stopTokens?: readonly number[]
  /** What may be said. */
  readonly grammar?: Grammar
  /** Tokens of a text that the reply is likely to copy from and that is not in the sequence. */
  readonly hints?: readonly number[]
  /** False: one token after the other. Else drafts from the context are tried where that pays; the text is the same. */
  readonly speculate?: boolean
  /** Called once, when the generation has come to its end or was stopped. */
  readonly onEnd?: (counts: GenerateCounts) => void
}

/** Tokens that were drafted from the context, and those of them that the model said. */
export interface GenerateCounts {
  readonly drafted: number
  readonly accepted: number
  /** What batches of so many tokens have cost, in single tokens, as far as they were needed (else a guess). */
  readonly batchCosts: ReadonlyMap<number, number>
  /** Why the grammar was not obeyed to the end. */
  readonly grammarProblem?: string
}

/**
 * A GBNF grammar (llama.cpp's grammars/README.md). Without triggers it holds for the whole reply, and one that cannot be
 * read is refused. With them it can only help: what goes wrong with it lets the reply go on freely and is told in
 * `GenerateCounts.grammarProblem`.
 */
export interface Grammar {
  readonly gbnf: string
  /** Name of the first rule, where there are no triggers; `root` where not given. */
  readonly root?: string
  /**
   * Where given, everything is allowed until one of them was said; what follows it obeys its rule to that rule's end, and
   * then everything is allowed again until the next one. A rule must end in something that it cannot go on after.
   */
  readonly triggers?: readonly Trigger[]
  /** Arguments that are held to what is on disk, within what the triggers' rules allow. */
  readonly fields?: readonly Field[]
  /** What the fields speak of. Without it they do nothing. */
  readonly folder?: GrammarFolder
}

export interface Trigger {
  /**
   * Source of a regular expression for what the reply ends with there (its last 500 bytes are seen), without `$`. It ends in
   * a character that means itself, or in `\\n`; characters beyond ASCII stand in no class.
   */
  readonly after: string
  /** Name of the rule. */
  readonly root: string
  /** Whether nothing but the reply's end may follow. */
  readonly last?: boolean
}

/** An argument of a call, by the text around it. */
export interface Field {
  /** Source of a regular expression as in `Trigger`, over the trigger's words and what was said since (the last 4,000 bytes of it). */
  readonly opens: string
  /** What ends the argument. */
  readonly closes: string
  /** As the inside of a JSON string, or as it is. */
  readonly written: 'json' | 'plain'
  /**
   * `file`: the path of a file in the folder, which is remembered; `path`: any path, which is remembered; `text`: a part, not
   * empty, of the file remembered last (anything where it does not exist or is no UTF-8).
   */
  readonly holds: 'file' | 'path' | 'text'
}

/** A token that could stand in the place of another. */
export interface Alternative {
  /** The place, among the tokens that were given. */
  readonly at: number
  readonly token: number
  readonly text: string
  readonly logprob: number
}

/** See Sequence.score. */
export interface Score {
  readonly alternatives: readonly Alternative[]
  readonly bytes: Int32Array
  readonly logprobs: Float32Array
}

export interface GeneratedToken {
  readonly token: number
  /** Text that this token completes; empty while a character is unfinished and for control tokens. */
  readonly text: string
  /** True for an end-of-generation token: always the last one. */
  readonly end: boolean
  readonly logprob?: number
}

/**
 * One line of tokens in the KV cache. Not for concurrent use; different sequences may work at the same time. Those that
 * generate at once are decoded as one batch: N forks cost less than N replies one after the other.
 */
export interface Sequence {
  /** Tokens of this sequence. */
  readonly length: number
  /**
   * How many of them are in the cache. Fewer after a rewind to between two checkpoints, or after the host's death: the
   * rest is evaluated, unseen, with the next use.
   */
  readonly evaluated: number
  /**
   * Evaluates tokens at the end. Stops inside a batch when the signal aborts: then `length` tells what stayed.
   * Rejects with EngineError.
   * @param options.checkpoints lengths of the sequence at which a checkpoint is taken, where the model needs them
   */
  prefill(
    tokens: readonly number[],
    options: {
      readonly signal: AbortSignal
      readonly onProgress?: (done: number) => void
      readonly checkpoints?: readonly number[]
    },
  ): Promise<void>
  /**
   * Samples from the position after `last`, which is evaluated first (the last token of the prompt is kept back by the
   * caller so that its logits are computed here). Every yielded token but the final one is in the cache.
   */
  generate(last: number, options: GenerateOptions): AsyncIterable<GeneratedToken>
  /**
   * Evaluates all of the tokens but the final one at the end, and tells for each but the first what the model would have
   * said there instead: of its `most` likeliest tokens those that are whole characters and not what stands there. `bytes`:
   * of each token its length; `logprobs`: of each but the first its own (natural logarithm). An abort or a failure leaves the sequence as it was. Rejects with EngineError.
   */
  score(tokens: readonly number[], options: { readonly most: number; readonly signal: AbortSignal }): Promise<Score>
  /** Makes this place cheap to come back to. Nothing to do where the model rewinds freely. */
  checkpoint(): Promise<void>
  /** Drops everything from `length` on. */
  rewind(length: number): Promise<void>
  /** A second sequence with the same tokens. Where the cache is shared nothing is copied. */
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
