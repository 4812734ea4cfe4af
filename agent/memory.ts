/** What the model has in front of it besides the words of the conversation, and what it has to be told because that changed. */
import type { Workspace } from '../sandbox/index.ts'
import { withoutBodies } from '../tools/index.ts'
import { type KnownFiles, knownFiles, type News } from './context/known.ts'
import { type Packed, packTask } from './context/pack.ts'
import type { Known } from './context/repository/delta.ts'
import { knownFrom } from './context/repository/resident.ts'
import { taskMessages } from './context/task-messages.ts'
import { withoutOutput } from './context/without-output.ts'
import type { Conversation } from './conversation.ts'
import type { AgentEvent } from './events.ts'
import type { LoadedLog } from './log/load.ts'
import type { LogWriter } from './log/write.ts'
import type { Clock, SessionOptions } from './options.ts'
import { makeRoom } from './turn/room.ts'
import { type Begun, TurnMarks } from './turn-marks.ts'

/**
 * The longest reply of a small model, in tokens, besides twice the files that it was shown (it may give them back
 * whole): such a model sometimes falls into repeating itself, and would do so until the context is full.
 */
const smallReply = 1024

/** A list of files is good for so long: what changes in that time is as if it had changed while the list was made. */
const freshMs = 500

export interface MemoryOptions extends Pick<SessionOptions, 'model' | 'sampling' | 'listed'> {
  readonly workspace: Workspace
  readonly clock: Clock
}

export class Memory {
  /** Path → `fingerprint` of what the tools have read and written last. */
  readonly seen = new Map<string, string>()
  /** Path → `fingerprint` of what the model was shown whole with its tasks. */
  readonly shown: Map<string, string>
  /** Path → the part of a long file that the model was shown, to be written again in its place. */
  readonly parts = new Map<string, string>()
  /** Path → tokens of what it was shown of it. */
  readonly #fileTokens = new Map<string, number>()
  /** What was paged out of the context. */
  readonly pages: Map<string, string>
  readonly #options: MemoryOptions
  readonly #log: LogWriter
  /** Every file that the model was shown whole, and what it has to be told of it. */
  readonly #known: KnownFiles
  /** What the user said, oldest first. */
  readonly #inputs: string[]
  readonly turns = new TurnMarks()
  #nextPage = 0
  readonly #openedMs: number
  #listed: Promise<readonly string[]> | undefined
  #first: boolean

  constructor(options: MemoryOptions, log: LogWriter, loaded: LoadedLog | undefined) {
    this.#options = options
    this.#openedMs = options.clock.now()
    this.#listed = options.listed
    this.#log = log
    this.pages = new Map(loaded?.pages)
    this.shown = new Map(loaded?.shownFiles.map(({ path, fingerprint }) => [path, fingerprint]))
    this.#inputs = loaded?.records.flatMap((record) => (record.type === 'input' ? [record.text] : [])) ?? []
    this.#first = this.#inputs.length === 0
    this.#known = knownFiles(options.workspace, this.seen)
    if (loaded === undefined) return
    this.#known.resident(knownFrom(loaded.segments))
    this.#known.shown(loaded.shownFiles)
  }

  /** Files that are whole in the repository's segment, as a map of what the model knows of each. */
  resident(known: ReadonlyMap<string, Known>): void {
    this.#known.resident(known)
    for (const [path, { fingerprint }] of known) this.seen.set(path, fingerprint)
  }

  /** Tokens that a reply may have; undefined where only the model's own limits count. */
  get replyTokens(): number | undefined {
    if (this.#options.model.info.prompt !== 'small') return undefined
    return [...this.#fileTokens.values()].reduce((sum, tokens) => sum + 2 * tokens, smallReply)
  }

  hear(event: AgentEvent): void {
    this.#known.hear(event)
  }

  /** Puts a task at the end of the conversation, with the files that it needs (`files`, else those that it names) and what has changed. */
  async begin(
    conversation: Conversation,
    task: string,
    { pictures, files }: Pick<Begun, 'pictures' | 'files'>,
  ): Promise<void> {
    const packed = await this.#pack(task, files)
    await this.noteTask(conversation, task)
    const news = await this.news({ except: new Set(packed.whole.map(({ path }) => path)) })
    await conversation.append(taskMessages(this.#options.model.info, packed, news, pictures))
    this.turns.begunWith({ task, news, pictures, files })
    await this.#place(packed)
  }

  /**
   * Puts the task once more where it stood, without the output that it quotes, with the files that it names shown without what
   * their functions do, and these words after it. False, and nothing is done, where no file would be shown so.
   */
  async beginAnew(conversation: Conversation, words: string): Promise<boolean> {
    const at = this.turns.current
    if (at === undefined) return false
    const asked = { shown: at.shown, first: false, listed: undefined, only: at.files }
    const options = { ...this.#options, ...asked, instead: withoutBodies, words: withoutOutput(at.task) }
    const packed = await packTask(at.task, options)
    if (packed.bare.length === 0) return false
    await conversation.rewind(at.mark)
    await conversation.append([
      ...taskMessages(this.#options.model.info, packed, at.news, at.pictures),
      { role: 'user', text: words },
    ])
    // They are in play, and shown whole with the next task.
    for (const path of packed.bare) this.shown.set(path, '')
    return true
  }

  /**
   * Puts a step of a task at the end of the conversation: these words, and this one file; of a long one the part that is the
   * most `about` something. It is noted by `noteTask`.
   */
  async beginStep(conversation: Conversation, words: string, path: string, about?: string): Promise<void> {
    this.shown.clear()
    this.parts.clear()
    this.#fileTokens.clear()
    const packed = await this.#pack(words, [path], about)
    await conversation.append([{ role: 'user', text: packed.text }])
    await this.#place(packed)
  }

  /** Notes what the user said, and where it can be taken back to. */
  async noteTask(conversation: Conversation, task: string): Promise<void> {
    const mark = await conversation.mark(true)
    const state = { known: this.#known.mark(), shown: new Map(this.shown), first: this.#first }
    this.turns.begin(mark && { mark, ...state })
    this.#inputs.push(task)
    const time = new Date(this.#options.clock.now()).toISOString()
    await this.#log.note({ type: 'input', time, text: task })
  }

  /** The model has these in front of it now. */
  async #place(packed: Packed): Promise<void> {
    this.#known.shown(packed.whole)
    this.#first = false
    for (const { path, fingerprint, text: part, tokens } of packed.parts) {
      this.#fileTokens.set(path, tokens)
      this.parts.set(path, part)
      this.seen.set(path, fingerprint)
    }
    if (packed.whole.length === 0) return
    await this.#log.note({ type: 'files', files: packed.whole.map(({ path, fingerprint }) => ({ path, fingerprint })) })
    for (const { path, fingerprint, tokens } of packed.whole) {
      this.#fileTokens.set(path, tokens)
      this.shown.set(path, fingerprint)
      this.seen.set(path, fingerprint)
      this.parts.delete(path)
    }
  }

  /** What code in a reply may be of. */
  get filesInPlay(): readonly string[] {
    return [...new Set([...this.shown.keys(), ...this.parts.keys()])]
  }

  /** Reads a task ahead that is still being written. `late`: it is no use any more. */
  async ahead(conversation: Conversation, draft: string, late: () => boolean): Promise<void> {
    const packed = await this.#pack(draft)
    const news = await this.#known.peek(new Set(packed.whole.map(({ path }) => path)))
    if (!late()) void conversation.ahead(taskMessages(this.#options.model.info, packed, news))
  }

  /** A task as the model would read it: with the files that it names. Nothing is noted. */
  async words(task: string): Promise<string> {
    return (await this.#pack(task)).text
  }

  async #pack(task: string, only?: readonly string[], about?: string): Promise<Packed> {
    const { model, workspace } = this.#options
    const listed = await this.#takeListed()
    // With the repository in the context its list of files is there, too.
    const first = this.#first && this.#known.marks().size === 0
    // A small model does better with the file beside the task, even where it has read it before.
    const shown = model.info.prompt === 'small' ? this.shown : new Map([...this.#known.marks(), ...this.shown])
    return await packTask(task, { model, workspace, shown, first, listed, only, about })
  }

  /** What was listed while the session was opened: once, and not when that is a while ago or failed. */
  async #takeListed(): Promise<readonly string[] | undefined> {
    const listed = this.#options.clock.now() - this.#openedMs < freshMs ? this.#listed : undefined
    this.#listed = undefined
    return await listed?.catch(() => undefined)
  }

  /** Takes the last turns out of the conversation. */
  async takeBack(conversation: Conversation, count: number): Promise<boolean> {
    const turn = this.turns.before(count)
    if (turn === undefined) return false
    await conversation.rewind(turn.mark)
    this.#inputs.length -= count
    this.turns.drop(count)
    this.#known.restore(turn.known)
    this.shown.clear()
    for (const [path, fingerprint] of turn.shown) this.shown.set(path, fingerprint)
    this.#first = turn.first
    return true
  }

  /** See room.ts. What is paged out is not in front of the model any more: it is shown again when it is asked for. */
  makeRoom(conversation: Conversation, signal: AbortSignal, mayCut: boolean): AsyncGenerator<AgentEvent, void> {
    const { model, sampling } = this.#options
    const nextId = (): string => `p${this.pages.size + ++this.#nextPage}`
    const paged = (
      pages: readonly { readonly id: string; readonly text: string }[],
      files: readonly string[],
    ): void => {
      this.#nextPage = 0
      for (const { id, text } of pages) this.pages.set(id, text)
      this.#known.forget(files)
      for (const path of files) this.shown.delete(path)
      this.rebuilt()
    }
    return makeRoom(conversation, { model, sampling, signal, inputs: this.#inputs, nextId, paged }, mayCut)
  }

  /** The conversation is another from its beginning on: there is no way back to where earlier turns began. */
  rebuilt(): void {
    this.turns.clear()
  }

  /** What has changed in the files that the model knows, for the model; from here on it counts as told. */
  async news(options: Parameters<KnownFiles['news']>[0]): Promise<News['text']> {
    const { text, files } = await this.#known.news(options)
    for (const { path, fingerprint } of files) if (this.shown.has(path)) this.shown.set(path, fingerprint)
    if (files.length > 0) await this.#log.note({ type: 'files', files: [...files] })
    return text
  }

  close(): void {
    this.#known.close()
  }
}
