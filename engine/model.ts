/** The door to any model: embedded, remote or scripted. The loop knows only this file. */

import type { Effort } from './dialects/effort.ts'
import type { TextMark } from './kv/text-mark.ts'
import type { AssistantMessage, Message, Segment, ToolCall } from './messages.ts'

/** A work tree, as far as a grammar may look at it. */
export interface GrammarFolder {
  /** Absolute, real path. */
  readonly path: string
  /** Files in it that the model has been shown: of no other is the text looked at, or a reply could be led to tell it. */
  readonly seen: readonly string[]
}

export interface ModelInfo {
  /** The name the user chose it by: a catalog name, a file name, a remote model id. */
  readonly name: string
  readonly place: 'embedded' | 'remote' | 'scripted'
  readonly dialect: string
  /** How much it thinks, which is part of what it has read and so fixed for a session. Absent: it has no levels, or nobody says. */
  readonly effort?: Effort
  /** Context length in tokens; undefined where a remote server does not tell. */
  readonly contextTokens: number | undefined
  /** Whether the cache can be rewound to any token, only to checkpoints, or not at all (remote). */
  readonly rewind: 'free' | 'checkpoint' | 'none'
  /**
   * How this model says that it is done. `words`: by a reply without calls. `edits`: also by a reply whose calls only
   * changed files and all succeeded; small models that answer at once in code fences have nothing to add to that.
   */
  readonly finishes: 'words' | 'edits'
  /** Whether user messages may carry pictures. Absent: they may not. */
  readonly vision?: boolean
  /** Replies that are cheaper written at once, on forks, than one after the other. Absent: none are. */
  readonly together?: number
  /** Which of agent/prompts it was measured with. */
  readonly prompt: 'full' | 'small'
}

/** How tokens are picked. Temperature 0 is greedy and ignores the rest but `repeatPenalty`. */
export interface Sampling {
  readonly temperature: number
  readonly topP: number
  readonly topK: number
  readonly minP: number
  readonly repeatPenalty: number
  readonly seed: number
}

/** US dollars. */
export interface Cost {
  readonly hits: number
  readonly misses: number
  readonly output: number
}

/** What a reply cost. Seconds are wall time; `promptTokens = cachedTokens + evaluatedTokens`. */
export interface Usage {
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly evaluatedTokens: number
  readonly generatedTokens: number
  readonly prefillSeconds: number
  readonly decodeSeconds: number
  /** Tokens that were copied from the context on trial, and those of them that held (embedded models). */
  readonly draftedTokens?: number
  readonly acceptedTokens?: number
  /** US dollars that the server takes, where its prices are known (remote models): for hits and misses of its cache, and for what it wrote. */
  readonly price?: Cost
}

export interface RespondOptions {
  readonly signal: AbortSignal
  readonly maxTokens: number
  /** Overrides of the model's own measured settings. */
  readonly sampling?: Partial<Sampling>
  /** Also give the log-probability of each sampled token (embedded models). */
  readonly logprobs?: boolean
  /** Work-tree paths whose text the model was shown whole: a dialect may need them to place a fence without a path. */
  readonly files?: readonly string[]
  /** What paths in calls are of: where the engine can, it lets them name only what exists there. */
  readonly folder?: GrammarFolder
  /** Asked with each event of the reply: true ends it there, as if the model had (embedded and scripted models). */
  readonly enough?: ((event: ModelEvent) => boolean) | undefined
  /** Told what the model says as it says it, marks of calls included: true cuts it there, as if it had no more room (the same models). */
  readonly endless?: ((words: string) => boolean) | undefined
}

/** Why a model could not answer. A failure is data in the stream, never an exception through it. */
export interface ModelFailure {
  readonly kind:
    | 'engine-died'
    | 'out-of-memory'
    | 'context-full'
    | 'unreachable'
    | 'refused'
    | 'timeout'
    | 'bad-reply'
    | 'internal'
  /** What happened and, after it, what to do: for a person. */
  readonly message: string
  /** Whether asking the same again can help. */
  readonly retryable: boolean
}

export type ModelEvent =
  /** Reading the prompt: tokens of it done, to do in all, and how many of them were in the cache already. */
  | { readonly type: 'prefill'; readonly done: number; readonly total: number; readonly cached: number }
  | { readonly type: 'reasoning'; readonly text: string }
  | { readonly type: 'text'; readonly text: string }
  /** A call has begun; its arguments stream as `call-delta` (raw text, for display only). */
  | { readonly type: 'call-start'; readonly name: string; readonly path?: string }
  | { readonly type: 'call-delta'; readonly text: string }
  | { readonly type: 'call'; readonly call: ToolCall }
  /** Something that was meant as a call and cannot be read as one; `problem` tells the model what was wrong. */
  | { readonly type: 'malformed'; readonly text: string; readonly problem: string }
  /** Log-probabilities of the tokens sampled since the last event of this kind; `text`: what each one completed. */
  | {
      readonly type: 'logprobs'
      readonly tokens: readonly { readonly token: number; readonly logprob: number; readonly text: string }[]
    }
  /** A notice for a person: host restarted, threads lowered, request retried. */
  | { readonly type: 'notice'; readonly text: string }
  /** The last event of a reply that came to an end. `length`: cut by maxTokens or the context. */
  | {
      readonly type: 'done'
      readonly stop: 'end' | 'length' | 'aborted'
      readonly message: AssistantMessage
      readonly usage: Usage
    }
  /** The last event of a reply that failed. Nothing of it is in the session. */
  | { readonly type: 'error'; readonly failure: ModelFailure }

/** A file as it stands, and where to look at it. */
export interface DoubtOptions {
  readonly path: string
  readonly content: string
  /** Numbers (from 1) of the lines that may be another. Not empty. */
  readonly lines: ReadonlySet<number>
  /** Of these, those that are told of before all others. */
  readonly first?: ReadonlySet<number>
  /**
   * So many of the likeliest are told in another order: by how much likelier the whole file is with them, which takes another
   * reading of what follows for each. Default: none.
   */
  readonly weighed?: number
  /** What is less likely than this (natural logarithm of its probability) is not told of. Default: all is. */
  readonly least?: number
  readonly signal: AbortSignal
}

/** The file with one place as the model would have written it. */
export interface Doubt {
  readonly content: string
  /** Number (from 1) of the line it is about. */
  readonly line: number
  /** Of the first token that differs: natural logarithm of its probability. */
  readonly logprob: number
}

/** A place in a session to come back to. */
export interface Checkpoint {
  readonly id: number
  readonly tokens: number
}

/**
 * One append-only conversation with a model. What was appended is never re-rendered: request n is a strict prefix of
 * request n+1. Not for concurrent use: one `respond` at a time.
 */
export interface ModelSession {
  readonly info: ModelInfo
  /** Sums over all replies of this session. */
  readonly usage: Usage
  /** Tokens in the context now (embedded), or as the server last told (remote). */
  readonly contextTokens: number
  /** Adds messages at the end. They are evaluated with the next `respond`. */
  append(messages: readonly Message[]): Promise<void>
  /** Lets the model speak. Ends with exactly one `done` or `error`. Does not throw. */
  respond(options: RespondOptions): AsyncIterable<ModelEvent>
  /**
   * Reads what was appended, without a reply, and keeps it on disk as it goes (embedded models that keep readings).
   * An abort ends it early: what was read stays and is kept. Rejects with EngineError.
   */
  readonly read?: (options: {
    readonly signal: AbortSignal
    readonly onProgress?: (done: number, total: number, cached: number) => void
  }) => Promise<Usage>
  /**
   * Puts other segments in the place of everything. What is the same at the beginning is not evaluated again. Checkpoints
   * are gone with it.
   */
  replace(prefix: readonly Segment[]): Promise<void>
  /**
   * Evaluates messages that may come next, without appending them: when they do come they cost only what differs. Gives the
   * tokens that were evaluated; an abort ends it early. Does nothing while a reply goes on. Rejects with EngineError.
   * `open`: the text of the last message may still grow, and only what does not depend on that is read (always so where the
   * model goes back to checkpoints only). Absent: this model cannot.
   */
  readonly prefetch?: (
    messages: readonly Message[],
    options: { readonly signal: AbortSignal; readonly open?: boolean },
  ) => Promise<number>
  /**
   * Reads a file as if the model were giving it as its reply here, and tells where it would have written it otherwise:
   * likeliest first, none twice, each made when it is asked for. Nothing of it is in the session. `spent` is told once, at
   * the end. An abort ends it early. Throws EngineError. Absent: this model cannot.
   */
  readonly doubts?: (options: DoubtOptions & { readonly spent: (usage: Usage) => void }) => AsyncIterable<Doubt>
  checkpoint(): Promise<Checkpoint>
  /** Drops everything after the checkpoint. */
  rewind(checkpoint: Checkpoint): Promise<void>
  /** A second session with the same context; the shared prefix is not evaluated again. */
  fork(): Promise<ModelSession>
  close(): Promise<void>
}

/** What is known of reading with a model that keeps its readings on disk. */
export interface ModelReadings {
  /** Tokens a second, as last measured on this machine; undefined before the first reading. */
  tokensPerSecond(): Promise<number | undefined>
  /** How many tokens a prefix is, and how many of them a saved reading spares. */
  saved(prefix: readonly Segment[]): Promise<{ readonly tokens: number; readonly saved: number }>
  /** By what a saved reading is known that holds the last segment of this prefix. */
  mark(prefix: readonly Segment[]): Promise<TextMark>
}

export interface Model {
  readonly info: ModelInfo
  /** How many tokens a text is for this model (an estimate for remote ones). */
  countTokens(text: string): Promise<number>
  /** Absent: this model's readings are not kept (remote and scripted models). */
  readonly readings?: ModelReadings
  /** Opens a session on a prefix. May hold a whole earlier conversation: assistant messages keep their sampled tokens. */
  start(prefix: readonly Segment[]): Promise<ModelSession>
  close(): Promise<void>
}
