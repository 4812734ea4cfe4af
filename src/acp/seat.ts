/** One session of an editor: its mode, its permissions, its prompt in progress. */
import { RequestError, type SessionModeState, type SessionUpdate, type StopReason } from '@agentclientprotocol/sdk'
import { type ApprovalAnswer, type ApprovalRequest, replaySession, type Session } from '../../agent/index.ts'
import { asksBefore, type Mode, modeHelp, modes } from '../tui/modes.ts'
import { allowsKind, type Permission, permissionFor } from './permission.ts'
import { replayUpdates, updates } from './updates.ts'

export interface PromptOptions {
  /** The request was cancelled, or the connection is gone. */
  readonly signal: AbortSignal
  readonly update: (update: SessionUpdate) => Promise<void>
  /** The id of the option that was chosen; undefined: cancelled. */
  readonly permit: (permission: Permission, signal: AbortSignal) => Promise<string | undefined>
}

export interface Seat {
  readonly id: string
  /** Absolute, real path of the work tree. */
  readonly cwd: string
  readonly modes: SessionModeState
  /** Throws RequestError for a mode that there is not. */
  setMode(mode: string): void
  /** Runs one task. Rejects with RequestError while another runs, and when the model fails. */
  prompt(text: string, options: PromptOptions): Promise<StopReason>
  cancel(): void
  /** What was said before, for a session that goes on. */
  earlier(): Promise<SessionUpdate[]>
  close(): Promise<void>
}

/** What a session asks of its seat, which is there only after it. */
export interface SeatRules {
  readonly mode: () => Mode
  readonly approve: (request: ApprovalRequest, signal: AbortSignal) => Promise<ApprovalAnswer>
  readonly asksBefore: Parameters<typeof asksBefore> extends [Mode, infer Effect] ? (effect: Effect) => boolean : never
}

/** @param open opens the session with the seat's rules */
export async function takeSeat(first: Mode, open: (rules: SeatRules) => Promise<Session>): Promise<Seat> {
  let mode = first
  let running: { readonly abort: AbortController; readonly options: PromptOptions } | undefined
  /** Effects, as text, that were allowed for good. */
  const always = new Set<string>()

  async function approve(request: ApprovalRequest, signal: AbortSignal): Promise<ApprovalAnswer> {
    if (running === undefined) return { allow: false, reason: 'nobody can be asked now.' }
    const chosen = await running.options.permit(permissionFor(request, session.info.cwd), signal)
    if (chosen === 'always') for (const effect of request.effects) always.add(JSON.stringify(effect))
    return allowsKind(chosen) ? { allow: true } : { allow: false, reason: 'Do something else, or ask why.' }
  }

  const session = await open({
    mode: () => mode,
    approve,
    asksBefore: (effect) => asksBefore(mode, effect) && !always.has(JSON.stringify(effect)),
  })

  return {
    id: session.id,
    cwd: session.info.cwd,
    get modes() {
      const availableModes = modes.map((id) => ({ id, name: id, description: modeHelp[id] }))
      return { currentModeId: mode, availableModes }
    },
    setMode(wanted) {
      const known = modes.find((each) => each === wanted)
      if (known === undefined) throw RequestError.invalidParams({ modeId: wanted }, `modes are: ${modes.join(', ')}`)
      mode = known
    },
    async prompt(text, options) {
      if (running !== undefined)
        throw RequestError.invalidRequest(undefined, 'a prompt is being answered in this session')
      if (text.trim() === '') throw RequestError.invalidParams(undefined, 'the prompt has no words')
      const abort = new AbortController()
      running = { abort, options }
      const signal = AbortSignal.any([abort.signal, options.signal])
      const drawing = updates(session.info.cwd)
      try {
        for await (const event of session.send(text, { signal })) {
          for (const update of drawing.take(event)) await options.update(update)
          if (event.type !== 'result') continue
          if (event.exit === 'model') throw RequestError.internalError({ exit: event.exit }, event.text)
          if (event.exit === 'interrupted') return 'cancelled'
          return event.exit === 'limit' ? 'max_turn_requests' : 'end_turn'
        }
        throw RequestError.internalError(undefined, 'the session ended without a result: this is a fault of Cachalot')
      } finally {
        running = undefined
      }
    },
    cancel: () => running?.abort.abort(),
    async earlier() {
      return replayUpdates(await replaySession(session.info.logFile), session.info.cwd)
    },
    async close() {
      running?.abort.abort()
      await session.close()
    },
  }
}
