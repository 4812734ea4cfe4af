/**
 * What is said to a model and what it says back, free of any model family's spelling.
 * A `Dialect` turns these into tokens and the tokens back into these.
 */

/** JSON Schema (draft 2020-12), as `z.toJSONSchema` gives it. */
export type JsonSchema = { readonly [key: string]: unknown }

/** A tool as a model is told of it. */
export interface ToolSpec {
  readonly name: string
  readonly description: string
  /** The schema of the call's arguments; always of type `object`. */
  readonly parameters: JsonSchema
}

/** A call as the model wrote it. `arguments` is parsed but not validated: the tool's own schema does that. */
export interface ToolCall {
  /** Unique in the session; made by us where the model or server gives none. */
  readonly id: string
  readonly name: string
  readonly arguments: unknown
}

/** Our own words and the tools on offer. The only message whose text is trusted (may hold no user or file text). */
export interface SystemMessage {
  readonly role: 'system'
  readonly text: string
  readonly tools: readonly ToolSpec[]
}

/** Words of the user, or text from files put in front of the model. Untrusted: never becomes a control token. */
export interface UserMessage {
  readonly role: 'user'
  readonly text: string
  /** Only for models with vision (`ModelInfo.vision`). */
  readonly pictures?: readonly Picture[]
}

/** A picture that goes with a message: a file of ours that never changes. */
export interface Picture {
  /** Absolute path. */
  readonly file: string
  readonly mediaType: 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp'
  /** Of the bytes, hexadecimal. */
  readonly sha256: string
}

/** One reply of the model. */
export interface AssistantMessage {
  readonly role: 'assistant'
  readonly reasoning: string
  readonly text: string
  readonly calls: readonly ToolCall[]
  /**
   * The tokens exactly as sampled (embedded models), including the end-of-turn token when one was sampled. A restored
   * session appends these and never re-encodes the reply: what was sampled stays as sampled.
   */
  readonly sampled?: readonly number[]
  /** The raw text of the reply, when it differs from `text` (embedded and scripted models): for logs and restoration. */
  readonly raw?: string
}

/** The result of one call. Untrusted text. */
export interface ToolMessage {
  readonly role: 'tool'
  readonly callId: string
  readonly name: string
  readonly text: string
  readonly ok: boolean
}

export type Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage

/**
 * A run of messages that belong together in the context. The KV store is keyed by the chain of segment hashes, so
 * what changes seldom comes first and nothing volatile (clock, token counts) ever enters one.
 */
export interface Segment {
  readonly name: 'system' | 'repository' | 'instructions' | 'conversation'
  readonly messages: readonly Message[]
}
