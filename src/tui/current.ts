/** The session in use: opened behind the prompt, replaced by /new, /resume, /fork and /model. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Approve, replaySession, type Session } from '../../agent/index.ts'
import { readBeginning } from '../../sandbox/index.ts'
import { asksBefore, sandboxMode } from './modes.ts'
import type { Place } from './place.ts'
import { readMeta, writeMeta } from './sessions/meta.ts'
import type { Transcript } from './transcript/transcript.ts'
import type { Ui } from './ui.ts'

export interface SwitchRequest {
  /** Path of an earlier session's log; absent: a new session. */
  readonly resume?: string
  readonly model?: string
  /** The log is a copy of the session in use, whose conversation is in view already. */
  readonly fork?: boolean
}

export interface Current {
  session(): Promise<Session>
  switchTo(request: SwitchRequest): Promise<void>
  close(): Promise<void>
}

export interface CurrentOptions {
  readonly ui: Ui
  readonly transcript: Transcript
  readonly place: Place
  readonly approve: Approve
  readonly draw: () => void
  /** Without waiting for the next frame. */
  readonly drawNow: () => void
  /** The session in use has this name now; undefined: none. */
  readonly named: (title: string | undefined) => void
}

export function openCurrent({ ui, transcript, place, approve, draw, drawNow, named }: CurrentOptions): Current {
  let opened: Promise<Session> | undefined
  let model: string | undefined
  const ended = new AbortController()

  const open = async (resume: string | undefined): Promise<Session> => {
    const session = await place.openSession({
      resume,
      model,
      approve,
      asksBefore: (effect) => asksBefore(ui.mode, effect),
      sandboxMode: (widest) => sandboxMode(ui.mode, widest),
      signal: ended.signal,
      onStatus(text) {
        ui.loading = text
        draw()
      },
      onNotice(level, text) {
        transcript.apply({ type: 'notice', level, text }, Date.now())
        draw()
      },
    })
    const { info } = session
    ui.model = info.model.name
    ui.contextTokens = info.model.contextTokens
    ui.sandbox = info.sandbox
    ui.session = info.id
    if (resume === undefined && ui.branch !== undefined)
      await writeMeta(info.logFile, { branch: ui.branch }).catch(() => undefined) // a convenience
    draw()
    return session
  }

  const begin = (resume: string | undefined): Promise<Session> => {
    const session = open(resume)
    opened = session
    // Told where it is waited for; a session that cannot be opened is tried again with the next message.
    session.catch(() => {
      if (opened === session) opened = undefined
    })
    return session
  }

  return {
    session: () => opened ?? begin(undefined),
    async switchTo(request) {
      const before = opened
      const title = request.resume === undefined ? undefined : (await readMeta(request.resume)).title
      let used = request.fork === true ? ui.contextUsed : 0
      if (request.resume !== undefined && request.fork !== true) {
        used = await show(request.resume, transcript)
        // Seen before the log is read whole and the model is loaded.
        drawNow()
        await sleep(60)
      }
      if (request.model !== undefined) {
        model = request.model
        // Seen while it is fetched and loaded; its context is known when it is there.
        ui.model = request.model
        ui.contextTokens = undefined
      }
      await before?.then((session) => session.close()).catch(() => undefined) // it was never opened
      ui.contextUsed = used
      ui.warm = 0
      named(title)
      const session = await begin(request.resume)
      const words =
        request.resume === undefined
          ? `A new session with ${session.info.model.name}.`
          : request.fork === true
            ? `This is ${title ?? 'a fork'} now: what comes is not in the session before, to which /resume leads back.`
            : `Resumed${title === undefined ? '' : ` ${title}`}.`
      transcript.apply({ type: 'notice', level: 'info', text: words }, Date.now())
      draw()
    },
    async close() {
      ended.abort()
      await opened?.then((session) => session.close()).catch(() => undefined) // it was never opened
    },
  }
}

/** Of the end of a log: what a person looks back at. */
const shownBytes = 8 << 10

/** Draws the last turns of an earlier session as they were drawn then. Gives the tokens that its context held at the end. */
async function show(file: string, transcript: Transcript): Promise<number> {
  let used = 0
  for (const event of await replaySession(file, shownBytes)) {
    if (event.type === 'input') transcript.addUser(event.text)
    else transcript.apply(event, 0)
    if (event.type === 'usage') used = event.usage.promptTokens + event.usage.generatedTokens
  }
  transcript.settle()
  return used
}

/** The branch that is checked out, read from .git itself; undefined without one. */
export function branchOf(root: string): string | undefined {
  const pointer = readBeginning(join(root, '.git')) // a folder, usually
  const folder = /^gitdir: (.*)$/m.exec(pointer ?? '')?.[1] ?? '.git'
  const head = readBeginning(join(folder.startsWith('/') ? folder : join(root, folder), 'HEAD'))
  return /^ref: refs\/heads\/(.*)$/m.exec(head ?? '')?.[1] ?? head?.slice(0, 8)
}
