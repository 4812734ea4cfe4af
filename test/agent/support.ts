/** A real work tree in a scratch folder, a scripted model, the real tools and, where this machine has one, the real sandbox. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type AgentEvent, openSession, type Session, type SessionOptions } from '../../agent/index.ts'
import { type Message, type ReplyFunction, type ScriptedReply, scriptedModel } from '../../engine/index.ts'
import { openSandbox, type Policy, type Sandbox } from '../../sandbox/index.ts'

export function scratch(files: Readonly<Record<string, string>> = {}): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'cachalot-agent-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  put(folder, files)
  return folder
}

export function put(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

export const text = (folder: string, path: string): string => readFileSync(join(folder, path), 'utf8')

export function git(folder: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'init.defaultBranch=main']
  return execFileSync('git', [...identity, ...args], { cwd: folder, encoding: 'utf8', stdio: 'pipe' })
}

/** A sandbox that is not there, as on a machine without bubblewrap. */
export const missingSandbox: Sandbox = {
  backend: 'none',
  guarantees: [],
  problem: { kind: 'missing', message: 'bubblewrap is not installed: sudo apt-get install -y bubblewrap' },
  run: async () => {
    throw new Error('never called')
  },
}

/** Whether this machine has a program, for tests of what needs it. */
export function has(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Whether commands can be confined here. Where that is required, a machine that cannot is a failure and not a skip. */
export async function sandboxWorks(): Promise<boolean> {
  const { problem } = await openSandbox()
  if (problem !== undefined && process.env['CACHALOT_SANDBOX_REQUIRED'] === '1') throw new Error(problem.message)
  return problem === undefined
}

export const policyFor = (root: string, mode: Policy['mode'] = 'workspace-write'): Policy => ({
  mode,
  roots: [root],
  extraWrite: [],
  denyRead: [],
  network: 'off',
  passEnv: [],
})

export interface Stage {
  readonly root: string
  readonly state: string
  readonly session: Session
  readonly model: ReturnType<typeof scriptedModel>
}

/** Opens a session on files with a script. `mode` full-access needs no sandbox and still runs real commands. */
export async function stage(
  script: readonly ScriptedReply[] | ReplyFunction,
  options: Partial<SessionOptions> & {
    readonly files?: Readonly<Record<string, string>>
    readonly info?: Parameters<typeof scriptedModel>[1]
    readonly mode?: Policy['mode']
  } = {},
): Promise<Stage> {
  const { files = {}, info = {}, mode, ...rest } = options
  const root = options.root ?? scratch(files)
  const state = options.stateFolder ?? scratch()
  const model = scriptedModel(script, info)
  const session = await openSession({
    model,
    root,
    sandbox: await openSandbox({ backend: mode === 'full-access' ? 'none' : 'auto', roots: [root] }),
    policy: policyFor(root, mode),
    limits: { steps: 20, tokens: 100_000, seconds: 60 },
    stateFolder: state,
    ...rest,
  })
  onTestFinished(() => session.close())
  return { root, state, session, model }
}

export async function collect(events: AsyncIterable<AgentEvent>): Promise<AgentEvent[]> {
  const all: AgentEvent[] = []
  for await (const event of events) all.push(event)
  return all
}

export type Result = Extract<AgentEvent, { type: 'result' }>

/** Runs a task; checks that the result comes once and last, and that the exchange was valid. */
export async function perform(
  at: Stage,
  task: string,
  signal?: AbortSignal,
): Promise<Result & { events: AgentEvent[] }> {
  const events = await collect(at.session.send(task, { signal }))
  const last = events.at(-1)
  if (last?.type !== 'result') throw new Error(`the last event is ${last?.type}`)
  if (events.filter(({ type }) => type === 'result').length !== 1) throw new Error('more than one result')
  checkExchange(at.model.requests.map(({ messages }) => messages))
  return { ...last, events }
}

/** Runs a task whose exchanges are dropped again as it goes; with what was noticed on the way. */
export async function performNoticed(at: Stage, task: string): Promise<Result & { notices: string[] }> {
  const events = await collect(at.session.send(task))
  const last = events.at(-1)
  if (last?.type !== 'result') throw new Error(`the last event is ${last?.type}`)
  return { ...last, notices: events.flatMap((event) => (event.type === 'notice' ? [event.text] : [])) }
}

/** I2 and I3: each request continues the one before it, and every call has exactly one result, in order. */
export function checkExchange(requests: readonly (readonly Message[])[]): void {
  requests.forEach((messages, index) => {
    const before = JSON.stringify(requests[index - 1]?.slice() ?? []).slice(0, -1)
    if (!JSON.stringify(messages).startsWith(before))
      throw new Error(`request ${index} does not continue the one before`)
    const calls = messages.flatMap((message) => (message.role === 'assistant' ? message.calls.map(({ id }) => id) : []))
    const results = messages.flatMap((message) => (message.role === 'tool' ? [message.callId] : []))
    if (JSON.stringify(calls) !== JSON.stringify(results)) throw new Error(`calls ${calls} have results ${results}`)
  })
}

/** What the model was told last. */
export const lastWords = (at: Stage): string => {
  const message = at.model.requests.at(-1)?.messages.at(-1)
  return message === undefined ? '' : message.role === 'assistant' ? message.text : message.text
}
