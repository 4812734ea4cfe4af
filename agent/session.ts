/** Opens a session: log, context and model brought together. */
import { dirname } from 'node:path'
import { openWorkspace } from '../sandbox/index.ts'
import { askAside } from './aside.ts'
import { systemClock } from './clock.ts'
import { describeContext } from './context/ahead.ts'
import type { ContextReport } from './context/report.ts'
import type { Steps } from './context/steps.ts'
import type { Conversation } from './conversation.ts'
import type { AgentEvent } from './events.ts'
import type { LoadedLog } from './log/load.ts'
import { type OwnLog, openOwnLog } from './log/own.ts'
import { recordOf } from './log/record.ts'
import type { LogWriter } from './log/write.ts'
import { runTurn } from './loop.ts'
import { Memory } from './memory.ts'
import { notBegun } from './not-begun.ts'
import type { ResolvedOptions, SendOptions, Session, SessionInfo, SessionOptions } from './options.ts'
import { keepPictures } from './pictures.ts'
import { openRebasing } from './rebasing.ts'
import { recovered } from './recover.ts'
import { type SessionParts, sessionParts, sessionTurn } from './session-turn.ts'
import { startConversation } from './start.ts'
import { Steering } from './steering.ts'
import { planned } from './steps.ts'
import type { Begun } from './turn-marks.ts'
import { pruneLimits, pruneTurns } from './undo/prune.ts'

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

class AgentSession implements Session {
  readonly id: string
  readonly info: SessionInfo
  readonly #options: ResolvedOptions
  readonly #log: LogWriter
  readonly #loaded: LoadedLog | undefined
  /** Said with the first run. */
  readonly #warning: string | undefined
  readonly #memory: Memory
  /** What each run works with. */
  readonly #parts: SessionParts
  #conversation: Conversation | undefined
  readonly #steering: Steering
  #running = false
  #draft = 0
  readonly #rebasing = openRebasing()
  #opening: Promise<Conversation> | undefined
  /** Said by what was done before the first run. */
  #early: AgentEvent[] = []
  #recovered = false

  constructor(options: ResolvedOptions, { id, log, loaded, warning }: OwnLog) {
    const { model, sandbox, workspace } = options
    this.#warning = warning
    this.id = id
    this.#options = options
    this.#log = log
    this.#loaded = loaded
    this.#memory = new Memory(options, log, loaded)
    this.#steering = new Steering(log, options.clock)
    this.#parts = sessionParts({ options, memory: this.#memory, id, steering: () => this.#steering.heard() })
    const held = sandbox.problem === undefined ? sandbox.backend : 'none'
    this.info = { id, cwd: workspace.root, model: model.info, sandbox: held, logFile: log.file }
  }

  get contextTokens(): number | undefined {
    return this.#conversation?.contextTokens
  }

  steer(text: string): void {
    this.#steering.say(text)
  }

  async *send(text: string, options: SendOptions = {}): AsyncGenerator<AgentEvent, void> {
    if (this.#running) throw new Error('A run is going on in this session: wait for its result, or use steer().')
    this.#running = true
    await this.#rebasing.stop()
    const left = new AbortController()
    const signal = AbortSignal.any([left.signal, ...(options.signal === undefined ? [] : [options.signal])])
    try {
      const { id, info } = this
      yield { type: 'session', id, cwd: info.cwd, model: info.model, sandbox: info.sandbox }
      for await (const event of this.#run(text, { ...options, signal })) {
        this.#memory.hear(event)
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

  async *#run(task: string, options: SendOptions & { signal: AbortSignal }): AsyncGenerator<AgentEvent, void> {
    const { signal, check, putBack, files } = options
    const began = this.#options.clock.now()
    yield* this.#early.splice(0)
    yield* this.#recover()
    const { info } = this.#options.model
    const { pictures, problems } = await keepPictures(options.pictures ?? [], { info, folder: dirname(this.#log.file) })
    for (const text of problems) yield { type: 'notice', level: 'warning', text }
    let begun: { readonly conversation: Conversation; readonly steps: Steps | undefined }
    try {
      if (this.#conversation !== undefined) yield* this.#memory.makeRoom(this.#conversation, signal, true)
      begun = await this.#begin(task, { pictures, files })
    } catch (error) {
      yield* notBegun(error, (this.#options.clock.now() - began) / 1000)
      return
    }
    this.#parts.changes.restart()
    this.#parts.recorder.begin(task)
    try {
      const { conversation, steps } = begun
      const turn = sessionTurn(this.#parts, conversation, signal)
      const checks = check === undefined ? turn.checks : { ...turn.checks, check }
      for await (const event of runTurn({ ...turn, checks, steps, putBack }, task)) {
        // Who hears the result may take the turn back at once.
        const unrecorded = event.type === 'result' ? await this.#endTurn() : undefined
        if (unrecorded !== undefined) yield { type: 'notice', level: 'warning', text: unrecorded }
        yield event
      }
    } finally {
      // For a listener who left before the result.
      await this.#endTurn()
    }
  }

  async #endTurn(): Promise<string | undefined> {
    const { recorder } = this.#parts
    const unrecorded = await recorder.end()
    this.#memory.turns.ended(recorder.recorded)
    return unrecorded
  }

  /** Once, before anything is read. */
  async *#recover(): AsyncGenerator<AgentEvent, void> {
    if (this.#recovered) return
    this.#recovered = true
    const { workspace, policy } = this.#options
    if (this.#warning !== undefined) yield { type: 'notice', level: 'warning', text: this.#warning }
    if (policy.mode !== 'read-only') yield* await recovered(workspace, this.#parts.journal)
  }

  /** The conversation, opened when it is first needed. */
  #open(): Promise<Conversation> {
    this.#opening ??= startConversation(this.#options, this.#memory, this.#log, this.#loaded).then(
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
    const { sampling } = this.#options
    const stop = signal ?? new AbortController().signal
    const conversation = await this.#open()
    const words = await this.#memory.words(question)
    yield* askAside(conversation, words, { signal: stop, sampling, running: this.#running })
  }

  get turns(): readonly (string | undefined)[] {
    return this.#memory.turns.records
  }

  async takeBack(count: number): Promise<boolean> {
    this.#refuseWhileRunning()
    return this.#conversation !== undefined && (await this.#memory.takeBack(this.#conversation, count))
  }

  ahead(draft: string): void {
    const number = ++this.#draft
    if (this.#running) return
    void this.#readAhead(draft, () => this.#running || number !== this.#draft).catch(() => undefined) // told when it is sent
  }

  async #readAhead(draft: string, late: () => boolean): Promise<void> {
    for await (const event of this.#recover()) this.#early.push(event)
    const conversation = await this.#open()
    if (!late()) await this.#memory.ahead(conversation, draft, late)
  }

  async rebase({ signal }: { readonly signal: AbortSignal }): Promise<boolean> {
    const { model, workspace, repository } = this.#options
    if (this.#running || this.#conversation === undefined || repository === undefined) return false
    return await this.#rebasing.run(this.#conversation, this.#memory, { ...repository, model, workspace, signal })
  }

  context(): Promise<ContextReport> {
    const { model, workspace, repository, appendSystem, code } = this.#options
    const none = { when: 'never', startupSeconds: 0, folder: this.#options.stateFolder } as const
    return describeContext({ model, root: workspace.root, repository: repository ?? none, appendSystem, code })
  }

  #refuseWhileRunning(): void {
    if (this.#running) throw new Error('A run is going on in this session: wait for its result.')
  }

  /** Opens the conversation where it is not open yet, and puts the task at its end, with what the model needs for it. */
  async #begin(task: string, given: Pick<Begun, 'pictures' | 'files'>) {
    const conversation = await this.#open()
    // What an earlier run left behind (an interrupted reply, calls without a result) comes before anything new.
    await conversation.settle()
    // Who says which files go with a task wants no plan of others.
    const steps = given.files === undefined ? await planned(this.#options, this.#memory, conversation, task) : undefined
    if (steps === undefined) await this.#memory.begin(conversation, task, given)
    else await this.#memory.noteTask(conversation, task)
    return { conversation, steps }
  }

  async close(): Promise<void> {
    // First, so that nothing writes any more when the rest is put away.
    await this.#parts.background.close()
    await this.#rebasing.stop()
    this.#memory.close()
    await this.#conversation?.close()
    await this.#log.close()
    const { stateFolder, workspace, clock } = this.#options
    // Old records take room and nothing else: the next session tries again.
    await pruneTurns({ stateFolder, root: workspace.root }, pruneLimits, clock.now()).catch(() => undefined)
  }
}
