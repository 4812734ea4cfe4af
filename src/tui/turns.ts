/** Turns: what is sent, what is queued meanwhile, how a turn is interrupted, what happens when it ends. */
import { setImmediate } from 'node:timers/promises'
import type { AgentEvent, Session } from '../../agent/index.ts'
import type { Usage } from '../../engine/index.ts'
import { beginActivity, follow } from './activity.ts'
import { openAsides } from './asides.ts'
import { hasPictures, pointers } from './complete/mentions.ts'
import type { Desk } from './desk.ts'
import { insert, move } from './editor/editor.ts'
import { line } from './text/style.ts'
import type { Queued } from './ui.ts'

type Result = Extract<AgentEvent, { type: 'result' }>

export interface Turns {
  readonly running: boolean
  /** The end of the last turn; undefined while one goes on, and when it never got to the agent. */
  readonly last: Result | undefined
  /** Sends now, or queues while a turn is going on. */
  submit(text: string, when: Queued['when']): void
  /** What the model would be sent for this text, with what was noted for it. */
  words(text: string): string
  /** Answers a question in a copy of the conversation, beside the turn that is going on. */
  aside(question: string): void
  /** Something that the model is told with the next message. */
  note(text: string): void
  /** Ends the turn at once; what was done stays, what was queued goes back to the editor. */
  interrupt(): void
  /** The last queued message, taken out for editing; undefined when there is none. */
  takeBack(): string | undefined
  /** Waits until nothing runs. */
  idle(): Promise<void>
}

/** A turn longer than this is told of when it ends and nobody looks. */
const longMs = 10_000
/** A stream of events without a pause lets keys in this often. */
const breathMs = 8

export interface TurnsOptions {
  /** A turn ended with this result. */
  readonly ended: (result: Result) => void
  /** A question aside was answered, or left. */
  readonly asideEnded: (usage: Usage) => void
}

export function openTurns(desk: Desk, { ended, asideEnded }: TurnsOptions): Turns {
  const { ui, transcript } = desk
  const asides = openAsides(desk, asideEnded)
  let abort: AbortController | undefined
  let current: Promise<void> = Promise.resolve()
  let notes: string[] = []
  let last: Result | undefined

  const start = (text: string, aside = false): void => {
    abort = new AbortController()
    last = undefined
    ui.activity = beginActivity(Date.now())
    transcript.addUser(aside ? `/btw ${text}` : text)
    desk.draw()
    const { signal } = abort
    current = turn(text, signal, aside).finally(() => {
      abort = undefined
      ui.activity = undefined
      // Not sooner: who reads that it is done finds keys and commands at rest.
      if (last !== undefined) transcript.apply(last, Date.now())
      transcript.settle()
      asides.show()
      next(signal.aborted)
      desk.draw()
    })
  }

  const words = (text: string): string => [...notes, text].join('\n\n')

  const turn = async (text: string, signal: AbortSignal, aside: boolean): Promise<void> => {
    const began = Date.now()
    const { contextUsed } = ui
    try {
      const told = await pointers(text, desk.place.root)
      for (const problem of told.problems) transcript.apply({ type: 'notice', level: 'warning', text: problem }, began)
      const session = await untilAborted(desk.session(), signal)
      if (session === undefined) {
        // Nobody was asked yet, so nobody tells of the end.
        transcript.add(() => [line('■ interrupted', { role: 'warning' })])
        return
      }
      if (aside) await consume(session, session.aside(text, { signal }), signal, true)
      else {
        const whole = words(text)
        notes = []
        await consume(session, session.send(whole, { signal, pictures: told.pictures }), signal)
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      transcript.apply({ type: 'notice', level: 'error', text: why }, Date.now())
    }
    // A copy of the conversation is gone with its answer.
    if (aside) ui.contextUsed = contextUsed
    if (Date.now() - began > longMs && !ui.focused && ui.rings) desk.terminal.notify(`Cachalot: ${text.slice(0, 60)}`)
  }

  const consume = async (
    session: Session,
    events: AsyncIterable<AgentEvent>,
    signal: AbortSignal,
    aside = false,
  ): Promise<void> => {
    let breathed = performance.now()
    for await (const event of events) {
      account(event)
      if (event.type === 'result') {
        last = event
        ended(event)
      } else if (aside && event.type === 'usage') asideEnded(event.usage)
      else transcript.apply(event, Date.now())
      // Events come one by one, so these words are with the agent before it looks for them.
      const boundary = event.type === 'usage' || event.type === 'tool-result'
      if (boundary && !signal.aborted) deliver(session)
      asides.show()
      desk.drawSoon()
      if (performance.now() - breathed > breathMs) {
        await setImmediate()
        breathed = performance.now()
      }
    }
  }

  const account = (event: AgentEvent): void => {
    if (ui.activity !== undefined) ui.activity = follow(ui.activity, event, Date.now())
    if (event.type === 'session') {
      ui.model = event.model.name
      ui.contextTokens = event.model.contextTokens
      ui.sandbox = event.sandbox
      ui.session = event.id
    } else if (event.type === 'prefill') {
      ui.contextUsed = event.total
      ui.warm = event.cached
    } else if (event.type === 'reasoning' || event.type === 'text' || event.type === 'call-delta') {
      ui.contextUsed += 1 // a piece is a token, or nearly so; the usage at the reply's end tells
    } else if (event.type === 'usage' && event.usage.promptTokens > 0) {
      ui.contextUsed = event.usage.promptTokens + event.usage.generatedTokens
      ui.warm = event.usage.cachedTokens
    }
  }

  const deliver = (session: Session): void => {
    for (const { text } of ui.queue.filter(({ when }) => when === 'boundary')) {
      session.steer(text)
      transcript.addUser(text)
    }
    ui.queue = ui.queue.filter(({ when }) => when !== 'boundary')
  }

  /** After a turn: the queue goes on, unless the user stopped; then it is theirs to edit. */
  const next = (interrupted: boolean): void => {
    if (ui.queue.length === 0) return
    if (interrupted) {
      const queued = ui.queue.map(({ text }) => text).join('\n')
      const draft = ui.editor.text
      ui.queue = []
      ui.editor = insert(move(ui.editor, 'text-start'), draft === '' ? queued : `${queued}\n`)
      ui.editor = move(ui.editor, 'text-end')
      return
    }
    const boundary = ui.queue.filter(({ when }) => when === 'boundary')
    const [first] = ui.queue
    if (boundary.length > 0) {
      ui.queue = ui.queue.filter(({ when }) => when !== 'boundary')
      start(boundary.map(({ text }) => text).join('\n\n'))
    } else if (first !== undefined) {
      ui.queue = ui.queue.slice(1)
      start(first.text)
    }
  }

  return {
    get running() {
      return abort !== undefined
    },
    get last() {
      return last
    },
    submit(text, when) {
      if (abort === undefined) start(text)
      // What is told at a tool boundary is words only: a picture has to begin a turn.
      else ui.queue = [...ui.queue, { text, when: hasPictures(text) ? 'after' : when }]
    },
    words,
    aside(question) {
      if (abort === undefined) start(question, true)
      else asides.ask(question)
    },
    note(text) {
      notes = [...notes, text]
    },
    interrupt() {
      asides.interrupt()
      if (abort === undefined || abort.signal.aborted) return
      abort.abort()
      for (const { answer } of ui.approvals.splice(0)) answer({ allow: false, reason: 'The user interrupted.' })
    },
    takeBack() {
      const last = ui.queue.at(-1)
      ui.queue = ui.queue.slice(0, -1)
      return last?.text
    },
    async idle() {
      while (abort !== undefined) await current
      await asides.idle()
    },
  }
}

/** The session, or undefined when the user does not wait for it any more. */
async function untilAborted(session: Promise<Session>, signal: AbortSignal): Promise<Session | undefined> {
  const left = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  return Promise.race([session, left])
}
