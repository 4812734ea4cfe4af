/** Opens a session: log, context and model brought together. */
import { dirname, join } from 'node:path'
import type { Picture } from '../engine/index.ts'
import { BackgroundCommands, openWorkspace, type Workspace } from '../sandbox/index.ts'
import { recoverEdits } from '../tools/index.ts'
import { askAside } from './aside.ts'
import { trackChanges } from './changes.ts'
import { type KnownFiles, type KnownMark, knownFiles } from './context/known.ts'
import { packTask } from './context/pack.ts'
import { buildPrefix } from './context/prefix.ts'
import { knownFrom, withRepository } from './context/repository/resident.ts'
import { sessionTools } from './context/tools.ts'
import { Conversation, type Mark } from './conversation.ts'
import { type AgentEvent, exitCode } from './events.ts'
import { LogError } from './log/format.ts'
import type { LoadedLog } from './log/load.ts'
import { type OwnLog, openOwnLog } from './log/own.ts'
import { recordOf } from './log/record.ts'
import type { LogWriter } from './log/write.ts'
import { runTurn } from './loop.ts'
import type { Clock, SendOptions, Session, SessionInfo, SessionOptions } from './options.ts'
import { keepPictures } from './pictures.ts'
import { explore } from './turn/explore.ts'
import { makeRoom } from './turn/room.ts'
import type { Turn } from './turn/turn.ts'
import { pruneLimits, pruneTurns } from './undo/prune.ts'
import { openRecorder, type TurnRecorder } from './undo/recorder.ts'

/**
 * The longest reply of a small model, in tokens, besides twice the files that it was shown (it may give them back
 * whole): such a model sometimes falls into repeating itself, and would do so until the context is full.
 */
const smallReply = 1024

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, each) => total + each, 0)

const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, then) {
    const timer = setTimeout(then, ms)
    return () => clearTimeout(timer)
  },
}

/**
 * Opens a new session (or an earlier one, with `resume`). Asks nothing of the model yet: the first `send` does, and
 * tells of its failures by events. Rejects with an Error whose message names the fix when the root is no folder, the
 * state folder cannot be written, or the log to resume is damaged or of another model.
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  const workspace = options.workspace ?? openWorkspace(options.root)
  const clock = options.clock ?? systemClock
  const { stateFolder, resume, model } = options
  const request = { model: model.info, stateFolder, root: workspace.root, nowMs: clock.now(), resume }
  return new AgentSession({ ...options, workspace, clock }, await openOwnLog(request))
}

type Resolved = SessionOptions & { readonly workspace: Workspace; readonly clock: Clock }

/** A turn of the conversation, and all that has to go back with it. */
interface TurnMark {
  readonly task: string
  readonly mark: Mark
  readonly known: KnownMark
  readonly shown: ReadonlyMap<string, string>
  readonly first: boolean
}

class AgentSession implements Session {
  readonly id: string
  readonly info: SessionInfo
  readonly #options: Resolved
  readonly #log: LogWriter
  readonly #journal: string
  readonly #loaded: LoadedLog | undefined
  /** Said with the first run. */
  readonly #warning: string | undefined
  /** Path → `fingerprint` of what the model was shown whole. */
  readonly #shown: Map<string, string>
  readonly #changes
  readonly #recorder: TurnRecorder
  readonly #background: BackgroundCommands
  readonly #seen = new Map<string, string>()
  /** Every file that the model was shown whole, and what it has to be told of it. */
  readonly #known: KnownFiles
  /** Path → tokens of what the model was shown whole. */
  readonly #fileTokens = new Map<string, number>()
  #conversation: Conversation | undefined
  /** What was paged out of the context. */
  readonly #pages: Map<string, string>
  /** What the user said, oldest first. */
  readonly #inputs: string[]
  #steering: string[] = []
  #running = false
  #nextPage = 0
  #draft = 0
  #opening: Promise<Conversation> | undefined
  /** Where each turn began, for taking it back; none from before a rebuild. */
  readonly #turnMarks: TurnMark[] = []
  #first: boolean

  constructor(options: Resolved, { id, log, loaded, warning }: OwnLog) {
    const { model, sandbox, workspace } = options
    this.#warning = warning
    this.id = id
    this.#options = options
    this.#log = log
    this.#journal = join(options.stateFolder, 'journal')
    this.#loaded = loaded
    this.#pages = new Map(loaded?.pages)
    this.#inputs = loaded?.records.flatMap((record) => (record.type === 'input' ? [record.text] : [])) ?? []
    this.#shown = new Map(loaded?.shownFiles.map(({ path, fingerprint }) => [path, fingerprint]))
    this.#first = loaded === undefined || !loaded.records.some(({ type }) => type === 'input')
    this.#changes = trackChanges(workspace)
    this.#background = new BackgroundCommands(sandbox)
    const { stateFolder, clock } = options
    this.#recorder = openRecorder({ stateFolder, workspace, session: id, now: () => clock.now() })
    this.#known = knownFiles(workspace, this.#seen)
    if (loaded !== undefined) {
      this.#known.resident(knownFrom(loaded.segments))
      this.#known.shown(loaded.shownFiles)
    }
    const held = sandbox.problem === undefined ? sandbox.backend : 'none'
    this.info = { id, cwd: workspace.root, model: model.info, sandbox: held, logFile: log.file }
  }

  steer(text: string): void {
    this.#steering.push(text)
  }

  async *send(text: string, { signal, pictures = [] }: SendOptions = {}): AsyncGenerator<AgentEvent, void> {
    if (this.#running) throw new Error('A run is going on in this session: wait for its result, or use steer().')
    this.#running = true
    const left = new AbortController()
    const interrupt = AbortSignal.any(signal === undefined ? [left.signal] : [signal, left.signal])
    try {
      const { id, info } = this
      yield { type: 'session', id, cwd: info.cwd, model: info.model, sandbox: info.sandbox }
      for await (const event of this.#run(text, pictures, interrupt)) {
        this.#known.hear(event)
        const record = recordOf(event, this.#options.clock.now())
        // A log that cannot be written ends the run at its next message; the events come through all the same.
        if (record !== undefined) await this.#log.note(record).catch(() => undefined)
        yield event
      }
    } finally {
      left.abort()
      this.#running = false
    }
  }

  async *#run(task: string, files: readonly string[], signal: AbortSignal): AsyncGenerator<AgentEvent, void> {
    const began = this.#options.clock.now()
    if (this.#conversation === undefined) yield* this.#recover()
    const { info } = this.#options.model
    const { pictures, problems } = await keepPictures(files, { info, folder: dirname(this.#log.file) })
    for (const text of problems) yield { type: 'notice', level: 'warning', text }
    let conversation: Conversation
    try {
      if (this.#conversation !== undefined) yield* this.#makeRoom(this.#conversation, signal, true)
      conversation = await this.#begin(task, pictures)
    } catch (error) {
      // No model to talk to, or no log to write: nothing has been asked yet.
      const text = error instanceof Error ? error.message : String(error)
      const exit = error instanceof LogError ? 'not-done' : 'model'
      const seconds = (this.#options.clock.now() - began) / 1000
      yield { type: 'notice', level: 'error', text }
      yield {
        type: 'result',
        exit,
        exitCode: exitCode[exit],
        text,
        changes: [],
        checks: [],
        steps: 0,
        seconds,
        usage: noUsage,
      }
      return
    }
    this.#changes.restart()
    this.#recorder.begin(task)
    try {
      for await (const event of runTurn(this.#turn(conversation, signal), task)) {
        // Who hears the result may take the turn back at once.
        const unrecorded = event.type === 'result' ? await this.#recorder.end() : undefined
        if (unrecorded !== undefined) yield { type: 'notice', level: 'warning', text: unrecorded }
        yield event
      }
    } finally {
      // For a listener who left before the result.
      await this.#recorder.end()
    }
  }

  /** Before anything is read: what an earlier process left half written is made whole. Never fails the run. */
  async *#recover(): AsyncGenerator<AgentEvent, void> {
    const { workspace, policy } = this.#options
    if (this.#warning !== undefined) yield { type: 'notice', level: 'warning', text: this.#warning }
    if (policy.mode === 'read-only') return
    try {
      for (const { message } of await recoverEdits(workspace, this.#journal)) {
        yield { type: 'notice', level: 'warning', text: message }
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      const text = `An edit that a crash cut short could not be made whole: ${why} It is tried again with the next edit.`
      yield { type: 'notice', level: 'error', text }
    }
  }

  #turn(conversation: Conversation, signal: AbortSignal): Turn {
    const {
      model,
      workspace,
      sandbox,
      policy,
      limits,
      clock,
      approve,
      asksBefore,
      rules = [],
      sampling,
      tries,
      checks = {},
    } = this.#options
    return {
      info: model.info,
      conversation,
      tools: sessionTools(this.#options),
      toolContext: {
        workspace,
        sandbox,
        policy,
        limits: this.#options.commandLimits ?? { seconds: 120, outputBytes: 64 * 1024 },
        seen: this.#seen,
        journal: this.#journal,
        background: this.#background,
        code: this.#options.code,
        pages: this.#pages,
        explore: (question, stop) => explore(this.#turn(conversation, signal), question, stop),
      },
      changes: this.#changes,
      recorder: this.#recorder,
      limits,
      clock,
      signal,
      approve,
      asksBefore,
      rules,
      sampling,
      tries,
      checks,
      steering: () => this.#heard(),
      // An attempt of a small model is taken back whole: it hears of changes with its next task.
      makeRoom: model.info.prompt === 'small' ? undefined : () => this.#makeRoom(conversation, signal, false),
      news: model.info.prompt === 'small' ? undefined : (command) => this.#news({ noticed: !command }),
      replyTokens: model.info.prompt === 'small' ? smallReply + 2 * sum(this.#fileTokens.values()) : undefined,
      filesInPlay: () => [...this.#shown.keys()],
    }
  }

  /** The words that came since the last look; in the log as a person's, for the model has them among its messages. */
  #heard(): readonly string[] {
    const words = this.#steering.splice(0)
    const time = new Date(this.#options.clock.now()).toISOString()
    // A log that cannot be written ends the run at its next message.
    for (const text of words) this.#log.note({ type: 'steer', time, text }).catch(() => undefined)
    return words
  }

  async #start(): Promise<Conversation> {
    const { model, workspace, instructions = true, appendSystem } = this.#options
    const tools = sessionTools(this.#options)
    const earlier = this.#loaded?.segments ?? []
    if (earlier.length > 0) return await Conversation.start(model, this.#log, earlier, true)
    const plain = await buildPrefix({ info: model.info, tools, workspace, instructions, appendSystem })
    const { prefix, known } = await withRepository(plain, this.#options.repository, { model, workspace })
    this.#known.resident(known)
    for (const [path, { fingerprint }] of known) this.#seen.set(path, fingerprint)
    return await Conversation.start(model, this.#log, prefix, false)
  }

  /** The conversation, opened when it is first needed. */
  #open(): Promise<Conversation> {
    this.#opening ??= this.#start().then(
      (conversation) => {
        this.#conversation = conversation
        return conversation
      },
      (error: unknown) => {
        this.#opening = undefined
        throw error
      },
    )
    return this.#opening
  }

  async *aside(question: string, { signal }: SendOptions = {}): AsyncGenerator<AgentEvent, void> {
    this.#refuseWhileRunning()
    const { sampling } = this.#options
    const stop = signal ?? new AbortController().signal
    yield* askAside(await this.#open(), question, { signal: stop, sampling })
  }

  async takeBack(task: string): Promise<boolean> {
    this.#refuseWhileRunning()
    const at = this.#turnMarks.findLastIndex((turn) => turn.task.startsWith(task))
    const turn = this.#turnMarks[at]
    if (turn === undefined || this.#conversation === undefined) return false
    await this.#conversation.rewind(turn.mark)
    this.#inputs.length -= this.#turnMarks.length - at
    this.#turnMarks.length = at
    this.#known.restore(turn.known)
    this.#shown.clear()
    for (const [path, fingerprint] of turn.shown) this.#shown.set(path, fingerprint)
    this.#first = turn.first
    return true
  }

  ahead(draft: string): void {
    const number = ++this.#draft
    if (this.#running) return
    void this.#readAhead(draft, () => this.#running || number !== this.#draft).catch(() => undefined) // told when it is sent
  }

  async #readAhead(draft: string, late: () => boolean): Promise<void> {
    const { model, workspace } = this.#options
    const conversation = await this.#open()
    if (late()) return
    const first = this.#first && this.#known.marks().size === 0
    const shown = model.info.prompt === 'small' ? this.#shown : new Map([...this.#known.marks(), ...this.#shown])
    const { text } = await packTask(draft, { model, workspace, shown, first })
    if (!late()) conversation.ahead([{ role: 'user', text }])
  }

  #refuseWhileRunning(): void {
    if (this.#running) throw new Error('A run is going on in this session: wait for its result.')
  }

  /** Opens the conversation where it is not open yet, and puts the task at its end, with what the model needs for it. */
  async #begin(task: string, pictures: readonly Picture[]): Promise<Conversation> {
    const { model, workspace, clock } = this.#options
    const conversation = await this.#open()
    // What an earlier run left behind (an interrupted reply, calls without a result) comes before anything new.
    await conversation.settle()
    // With the repository in the context its list of files is there, too.
    const first = this.#first && this.#known.marks().size === 0
    // A small model does better with the file beside the task, even where it has read it before.
    const shown = model.info.prompt === 'small' ? this.#shown : new Map([...this.#known.marks(), ...this.#shown])
    const packed = await packTask(task, { model, workspace, shown, first })
    const mark = await conversation.mark(true)
    if (mark !== undefined)
      this.#turnMarks.push({ task, mark, known: this.#known.mark(), shown: new Map(this.#shown), first: this.#first })
    this.#inputs.push(task)
    const news = await this.#news({ except: new Set(packed.whole.map(({ path }) => path)) })
    await this.#log.note({ type: 'input', time: new Date(clock.now()).toISOString(), text: task })
    const text = news === '' ? packed.text : `${news}\n\n${packed.text}`
    await conversation.append([{ role: 'user', text, ...(pictures.length > 0 && { pictures }) }])
    this.#known.shown(packed.whole)
    this.#first = false
    if (packed.whole.length === 0) return conversation
    await this.#log.note({ type: 'files', files: packed.whole.map(({ path, fingerprint }) => ({ path, fingerprint })) })
    for (const { path, fingerprint, tokens } of packed.whole) {
      this.#fileTokens.set(path, tokens)
      this.#shown.set(path, fingerprint)
      this.#seen.set(path, fingerprint)
    }
    return conversation
  }

  /** See room.ts. What is paged out is not in front of the model any more: it is told of it again when that is asked for. */
  #makeRoom(conversation: Conversation, signal: AbortSignal, mayCut: boolean): AsyncGenerator<AgentEvent, void> {
    const { model, sampling } = this.#options
    return makeRoom(
      conversation,
      {
        model,
        sampling,
        signal,
        inputs: this.#inputs,
        nextId: () => `p${this.#pages.size + ++this.#nextPage}`,
        paged: (pages, files) => {
          this.#nextPage = 0
          for (const { id, text } of pages) this.#pages.set(id, text)
          this.#known.forget(files)
          for (const path of files) this.#shown.delete(path)
          this.#turnMarks.length = 0
        },
      },
      mayCut,
    )
  }

  /** What has changed in the files that the model knows, for the model; from here on it counts as told. */
  async #news(options: Parameters<KnownFiles['news']>[0]): Promise<string> {
    const { text, files } = await this.#known.news(options)
    for (const { path, fingerprint } of files) if (this.#shown.has(path)) this.#shown.set(path, fingerprint)
    if (files.length > 0) await this.#log.note({ type: 'files', files: [...files] })
    return text
  }

  async close(): Promise<void> {
    // First, so that nothing writes any more when the rest is put away.
    await this.#background.close()
    this.#known.close()
    await this.#conversation?.close()
    await this.#log.close()
    const { stateFolder, workspace, clock } = this.#options
    // Old records take room and nothing else: the next session tries again.
    await pruneTurns({ stateFolder, root: workspace.root }, pruneLimits, clock.now()).catch(() => undefined)
  }
}

const noUsage = {
  promptTokens: 0,
  cachedTokens: 0,
  evaluatedTokens: 0,
  generatedTokens: 0,
  prefillSeconds: 0,
  decodeSeconds: 0,
}
