/**
 * The agent of a test, as a process of its own: opens the sandbox as a given user and runs commands that come by
 * message. Everything is imported before the privileges are dropped, so that a checkout which only root can read works.
 */

import { registerHooks } from 'node:module'
import '../../../sandbox/held.ts'
import '../../../sandbox/proxy/server.ts'
import {
  BackgroundCommands,
  type BackgroundState,
  type CommandResult,
  type Limits,
  openSandbox,
  type Policy,
  type Sandbox,
  SandboxError,
} from '../../../sandbox/index.ts'

// The sandbox imports two files (above) when a command needs them: Node would look for them on the disk once more.
registerHooks({
  resolve: (specifier, context, next) =>
    specifier.startsWith('.')
      ? { url: new URL(specifier, context.parentURL).href, shortCircuit: true }
      : next(specifier, context),
})

export interface Start {
  readonly type: 'start'
  /** User and group id to become; undefined stays whoever started it. */
  readonly uid: number | undefined
  readonly env: Readonly<Record<string, string>>
  readonly roots: readonly string[]
  readonly backend?: 'landlock'
}

export interface Run {
  readonly type: 'run'
  readonly id: number
  readonly line: string
  readonly cwd: string
  readonly stdin?: string
  readonly policy: Policy
  readonly limits: Limits
  /** Abort after so many seconds. */
  readonly abortAfter?: number
}

/** A background command: `line` starts one; `command` names one to be read (waiting `seconds`) or stopped. */
export interface Background {
  readonly type: 'background'
  readonly id: number
  readonly act: 'start' | 'read' | 'stop'
  readonly command?: number
  readonly seconds?: number
  readonly line?: string
  readonly cwd?: string
  readonly policy?: Policy
}

export type Reply =
  | { readonly type: 'background'; readonly id: number; readonly command: number; readonly state?: BackgroundState }
  | {
      readonly type: 'opened'
      readonly sandbox: Pick<Sandbox, 'backend' | 'guarantees' | 'problem'>
      readonly uid: number
    }
  | { readonly type: 'output'; readonly id: number; readonly text: string }
  | { readonly type: 'result'; readonly id: number; readonly result: CommandResult; readonly rssGrowth: number }
  | { readonly type: 'failed'; readonly id: number; readonly kind: string; readonly message: string }

const reply = (message: Reply): void => {
  process.send?.(message)
}

let sandbox: Sandbox | undefined
let commands: BackgroundCommands | undefined

async function start({ uid, env, roots, backend: wanted }: Start): Promise<void> {
  if (uid !== undefined) {
    process.setgroups?.([])
    process.setgid?.(uid)
    process.setuid?.(uid)
  }
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, env)
  sandbox = await openSandbox({ roots, backend: wanted })
  commands = new BackgroundCommands(sandbox)
  const { backend, guarantees, problem } = sandbox
  reply({ type: 'opened', sandbox: { backend, guarantees, problem }, uid: process.geteuid?.() ?? -1 })
}

async function run(request: Run): Promise<void> {
  const { id, line, cwd, stdin, policy, limits, abortAfter } = request
  const abort = new AbortController()
  const timer = abortAfter === undefined ? undefined : setTimeout(() => abort.abort(), abortAfter * 1000)
  const before = process.memoryUsage.rss()
  let peak = before
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }, 20)
  // Live text is passed on in small amounts only: a flood is for the buffer, not for the message channel.
  let told = 0
  const onOutput = (text: string): void => {
    told += text.length
    if (told < 65_536) reply({ type: 'output', id, text })
  }
  try {
    if (sandbox === undefined) throw new Error('not started')
    const result = await sandbox.run({ line, cwd, stdin }, { policy, limits, signal: abort.signal, onOutput })
    reply({ type: 'result', id, result, rssGrowth: peak - before })
  } catch (error) {
    const kind = error instanceof SandboxError ? error.kind : 'other'
    reply({
      type: 'failed',
      id,
      kind,
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    })
  } finally {
    clearInterval(watch)
    clearTimeout(timer)
  }
}

async function background({ id, act, command = 0, seconds, line = '', cwd = '', policy }: Background): Promise<void> {
  try {
    if (act === 'start') {
      const limits = { seconds: 1, outputBytes: 65_536 }
      const started = await commands!.start(
        { line, cwd },
        { policy: policy!, limits, signal: new AbortController().signal },
      )
      return reply({ type: 'background', id, command: started.id })
    }
    const found = commands!.get(command)!
    const state = act === 'read' ? await found.read(seconds) : { output: '', result: await found.stop() }
    reply({ type: 'background', id, command, state })
  } catch (error) {
    reply({ type: 'failed', id, kind: 'other', message: String(error) })
  }
}

process.on('message', (message: Start | Run | Background) => {
  if (message.type === 'background') void background(message)
  else if (message.type === 'start') {
    start(message).catch((error: unknown) => {
      console.error(error)
      process.exit(1)
    })
  } else void run(message)
})
process.on('disconnect', () => process.exit(0))
