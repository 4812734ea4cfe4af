/**
 * The one way to the model: what it is shown is in the log first, and what it says goes into the log. Model-visible
 * means logged; that is asserted before every request.
 */
import type {
  AssistantMessage,
  Doubt,
  Message,
  Model,
  ModelEvent,
  ModelSession,
  RespondOptions,
  Segment,
  ToolCall,
} from '../engine/index.ts'
import { Ahead } from './ahead.ts'
import type { Placed } from './log/format.ts'
import { openCalls } from './log/load.ts'
import { memoryLog } from './log/memory.ts'
import { segmentsOf } from './log/segments.ts'
import { chain, type LogWriter, type Rebuild } from './log/write.ts'
import type { Mark } from './mark.ts'
import { openQuiet } from './quiet.ts'
import { reached } from './reached.ts'

/** What a call gets for a result that was never run or never ended. */
export const interruptedText = 'Interrupted: this call did not run to its end. Check what is there before going on.'

export class Conversation {
  #session: ModelSession
  readonly #log: LogWriter
  /** Digest over all that the model was given or has said. */
  #shown: string
  /** Everything since and including the last reply: enough to know which calls still wait. */
  #recent: Message[] = []
  /** All that the model sees, in order. */
  #placed: Placed[] = []
  /** Logged, but not yet with the model: it could not take them. */
  #pending: Placed[] = []
  /** A reply or a tool that was left behind by an interruption and has not ended yet. */
  #unsettled: Promise<unknown> = Promise.resolve()

  /** Reading of what may come next; ended before anything does. */
  readonly #ahead = new Ahead()
  /** Copies are made between replies and messages, never within one. */
  readonly #quiet = openQuiet()

  private constructor(session: ModelSession, log: LogWriter, shown: string) {
    this.#session = session
    this.#log = log
    this.#shown = shown
  }

  /**
   * Starts the model on a prefix. `logged` tells that the prefix was loaded from this log; otherwise it is written
   * first. Rejects as `Model.start` and the log do.
   */
  static async start(model: Model, log: LogWriter, prefix: readonly Segment[], logged: boolean): Promise<Conversation> {
    const placed = prefix.flatMap(({ name, messages }) => messages.map((message) => ({ segment: name, message })))
    if (!logged) await log.messages(placed)
    const conversation = new Conversation(await model.start(prefix), log, placed.reduce(chain, ''))
    conversation.#recent = placed.map(({ message }) => message)
    conversation.#placed = placed
    return conversation
  }

  get contextTokens(): number {
    return this.#session.contextTokens
  }

  /** What the model sees. */
  get placed(): readonly Placed[] {
    return this.#placed
  }

  /**
   * The same conversation once more, with the same tokens in the cache; what becomes of it is written nowhere. While a reply or
   * messages are on their way it is made when they are there.
   */
  fork(): Promise<Conversation> {
    return this.#quiet.copy(async () => {
      await this.#ahead.end()
      const fork = new Conversation(await this.#session.fork(), memoryLog(this.#shown), this.#shown)
      fork.#recent = [...this.#recent]
      fork.#placed = [...this.#placed]
      return fork
    })
  }

  /**
   * Puts other messages in the place of all: log first, then model. What is the same at the beginning is not read again.
   * Marks from before are of no use after it. `ready`: a session that has read them already. Rejects as `append` does.
   */
  async rebuild(to: Rebuild, ready?: ModelSession): Promise<void> {
    await this.#unsettled
    await this.#quiet.change(() => this.#rebuild(to, ready))
  }

  async #rebuild(to: Rebuild, ready: ModelSession | undefined): Promise<void> {
    await this.#ahead.end()
    await this.#handOver()
    await this.#log.rebuild(to)
    const before = this.#session
    this.#session = ready ?? before
    await reached(ready === undefined ? before.replace(segmentsOf(to.messages)) : before.close())
    this.#placed = [...to.messages]
    const lastReply = to.messages.findLastIndex(({ message }) => message.role === 'assistant')
    this.#recent = to.messages.slice(Math.max(0, lastReply)).map(({ message }) => message)
    this.#shown = to.messages.reduce(chain, '')
  }

  /** A session of the model with other messages, which shares what is the same. Undefined where it cannot be read ahead. */
  async copyOf(messages: readonly Placed[]): Promise<ModelSession | undefined> {
    await this.#ahead.end()
    if (this.#session.prefetch === undefined) return undefined
    const copy = await this.#session.fork()
    try {
      await copy.replace(segmentsOf(messages))
      return copy
    } catch (error) {
      await copy.close()
      throw error
    }
  }

  /**
   * Reads messages that may come next, until something comes. Settles when it has; never rejects: what it cannot do is read
   * later. `open`: the text of the last one may still grow.
   */
  async ahead(messages: readonly Message[], { open = false } = {}): Promise<void> {
    const { prefetch } = this.#session
    if (prefetch === undefined || this.#pending.length > 0) return
    await this.#ahead.begin((signal) => prefetch(messages, { signal, open }))
  }

  /** Reads all that was appended, so that forks do not each read it. Rejects as the model does. */
  async readWhole(signal: AbortSignal): Promise<void> {
    await this.#ahead.end()
    await this.#session.prefetch?.([], { signal })
  }

  get canDoubt(): boolean {
    return this.#session.doubts !== undefined && this.#pending.length === 0
  }

  /** Where the model would have written a file otherwise; none where it cannot tell. See ModelSession.doubts. */
  async *doubts(options: Parameters<NonNullable<ModelSession['doubts']>>[0]): AsyncGenerator<Doubt, void> {
    await this.#ahead.end()
    if (this.#session.doubts !== undefined) yield* this.#session.doubts(options)
  }

  /** Puts messages at the end: log first, then model. Rejects with LogError or ModelUnavailable. */
  async append(messages: readonly Message[]): Promise<void> {
    if (messages.length === 0) return
    const placed = messages.map((message): Placed => ({ segment: 'conversation', message }))
    await this.#quiet.change(async () => {
      await this.#log.messages(placed)
      this.#recent.push(...messages)
      this.#pending.push(...placed)
      this.#placed.push(...placed)
      await this.#handOver()
    })
  }

  /** A session takes all of its messages or none, so that trying again is safe; once, for an engine that is restarted. */
  async #handOver(): Promise<void> {
    await this.#ahead.end()
    const placed = this.#pending
    if (placed.length === 0) return
    const messages = placed.map(({ message }) => message)
    await reached(this.#session.append(messages).catch(() => this.#session.append(messages)))
    this.#pending = []
    this.#shown = placed.reduce(chain, this.#shown)
  }

  /** Lets the model speak; its reply is in the log before the last event is given on. */
  async *respond(options: RespondOptions): AsyncGenerator<ModelEvent> {
    if (this.#shown !== this.#log.visible) {
      throw new Error('The model was shown something that is not in the session log. This is a bug in Cachalot.')
    }
    const ended = await this.#quiet.begin()
    try {
      await this.#ahead.end()
      for await (const event of this.#session.respond(options)) {
        if (event.type === 'done') await this.#said(event.message)
        if (event.type === 'error') await this.#log.note({ type: 'failure', message: event.failure.message })
        yield event
      }
    } finally {
      ended()
    }
  }

  async #said(message: AssistantMessage): Promise<void> {
    const placed: Placed = { segment: 'conversation', message }
    await this.#log.messages([placed])
    this.#shown = chain(this.#shown, placed)
    this.#recent = [message]
    this.#placed.push(placed)
  }

  /** Remembers work that goes on after an interruption; `settle` waits for it. */
  leaveBehind(work: Promise<unknown>): void {
    this.#unsettled = Promise.allSettled([this.#unsettled, work])
  }

  /** Waits for what was left behind and gives every call that has no result an "interrupted" one. */
  async settle(text: string = interruptedText): Promise<readonly ToolCall[]> {
    await this.#unsettled
    await this.#quiet.change(() => this.#handOver())
    const open = openCalls(this.#recent)
    await this.append(open.map(({ id, name }) => ({ role: 'tool', callId: id, name, text, ok: false })))
    return open
  }

  /**
   * Undefined where the model cannot go back, or has not taken everything yet. `always`: also where going back spares nothing,
   * because a server reads all of it again anyway.
   */
  async mark(always = false): Promise<Mark | undefined> {
    if ((this.#session.info.rewind === 'none' && !always) || this.#pending.length > 0) return undefined
    const checkpoint = await this.#session.checkpoint()
    return { checkpoint, shown: this.#shown, recent: [...this.#recent], count: this.#placed.length }
  }

  /** Takes everything since the mark out of what the model sees; the log keeps it for people. Rejects as `append` does. */
  async rewind({ checkpoint, shown, recent, count }: Mark): Promise<void> {
    await this.#unsettled
    await this.#quiet.change(async () => {
      await this.#ahead.end()
      await this.#log.rewind(shown)
      this.#pending = []
      this.#recent = [...recent]
      this.#placed.length = count
      this.#shown = shown
      await reached(this.#session.rewind(checkpoint))
    })
  }

  async close(): Promise<void> {
    await this.#unsettled
    await this.#ahead.end()
    await this.#session.close()
  }
}
