/** One model family's prompt protocol: messages to text pieces, and the stream of a reply back to events. */
import type { Grammar } from './engine.ts'
import type { Message, ToolCall, ToolSpec } from './messages.ts'

/**
 * A piece of prompt text. `control` is true only for text that we wrote ourselves and in which control tokens
 * (`<|im_start|>` …) are meant as such; everything else is tokenised so that it can never become one.
 */
export interface Piece {
  readonly text: string
  readonly control: boolean
}

export type ReplyEvent =
  | { readonly type: 'reasoning'; readonly text: string }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'call-start'; readonly name: string; readonly path?: string }
  | { readonly type: 'call-delta'; readonly text: string }
  /** `id` is given later, by the session. */
  | { readonly type: 'call'; readonly call: Omit<ToolCall, 'id'> }
  | { readonly type: 'malformed'; readonly text: string; readonly problem: string }

/**
 * Reads one reply as it streams. The same text gives the same events, text and reasoning joined, however it is split
 * into chunks. `end` is called once; what is still open then (an unclosed fence, half a call) is settled there.
 */
export interface ReplyParser {
  push(chunk: string): ReplyEvent[]
  end(): ReplyEvent[]
}

export interface ParserOptions {
  readonly tools: readonly ToolSpec[]
  /** Paths the model was shown whole; see RespondOptions.files. */
  readonly files: readonly string[]
}

/** What an engine that knows grammars holds a reply's calls to: always one that waits for a call to begin. */
export type CallGrammar = Pick<Grammar, 'gbnf' | 'fields'> & { readonly triggers: NonNullable<Grammar['triggers']> }

export interface Dialect {
  readonly name: string
  /**
   * The pieces that take a prompt from the end of `previous` to the end of `message`. A turn is closed by what follows
   * it, so that consecutive user and tool messages can share one turn where the family wants that.
   */
  encode(message: Message, previous: Message | undefined): Piece[]
  /** The pieces that close `previous` and open the assistant's turn. */
  open(previous: Message): Piece[]
  /** The pieces that end a turn of the assistant which `reply` did not end itself (cut by length or by the user). */
  close(reply: Message): Piece[]
  parser(options: ParserOptions): ReplyParser
  /** How a reply begins that gives a whole file, up to the file's first character. Absent: files are written with other marks in them. */
  fileOpening?(path: string): string
  /**
   * The grammar of calls of these tools, so that none can be malformed. Undefined: there is nothing to call, or a tool has a name
   * that the grammar cannot hold. Absent: how the model writes calls is not known.
   */
  calls?(tools: readonly ToolSpec[]): CallGrammar | undefined
  /**
   * Spellings of special tokens that the parser reads (`<think>` …): where one of them is a control token, whose text
   * an engine keeps to itself, the session puts it back.
   */
  readonly marks?: readonly string[]
  /** Texts that end a reply, besides the model's own end-of-generation tokens. Not part of the reply. */
  readonly stop: readonly string[]
}
