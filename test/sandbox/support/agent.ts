/** Starts agents for tests, as root and as nobody, and says aloud when there is no bubblewrap to test. */
import { type ChildProcess, fork } from 'node:child_process'
import { chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { BackgroundState, CommandResult, Limits, Policy, Sandbox, SandboxProblem } from '../../../sandbox/index.ts'
import type { Background, Reply, Run, Start } from './agent-process.ts'
import { nodeForEverybody } from './node.ts'

export interface User {
  readonly name: string
  readonly uid: number | undefined
}

/** Who runs the tests; and nobody too (uid 65534) when that is root, by setuid in the agent's own process. */
export const users: readonly User[] =
  process.geteuid?.() === 0
    ? [
        { name: 'root', uid: undefined },
        { name: 'nobody', uid: 65534 },
      ]
    : [{ name: 'a normal user', uid: undefined }]

export interface Agent {
  readonly pid: number
  readonly sandbox: Pick<Sandbox, 'backend' | 'guarantees' | 'problem'>
  run(line: string, options: RunRequest): Promise<CommandResult & { readonly rssGrowth: number }>
  /** Starts a command in the background and gives its number. */
  start(line: string, options: Pick<RunRequest, 'policy'>): Promise<number>
  read(command: number, seconds: number): Promise<BackgroundState>
  stopCommand(command: number): Promise<CommandResult>
  kill(signal: NodeJS.Signals): void
  stop(): Promise<void>
}

export interface RunRequest {
  readonly policy: Policy
  readonly cwd?: string
  readonly stdin?: string
  readonly limits?: Partial<Limits>
  readonly abortAfter?: number
  readonly onOutput?: (text: string) => void
}

export interface AgentOptions {
  readonly user: User
  readonly home: string
  readonly roots: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Put before node on the command line: another namespace, say. */
  readonly wrapper?: readonly string[]
  readonly backend?: 'landlock'
}

/**
 * Opens an agent. Without bubblewrap it throws where CACHALOT_SANDBOX_REQUIRED=1; elsewhere it says loudly that
 * nothing is tested and returns undefined.
 */
export async function startAgent(options: AgentOptions): Promise<Agent | undefined> {
  const { child, waiting, sandbox } = await spawnAgent(options)
  if (sandbox.problem === undefined) return connect(child, sandbox, waiting, options.roots[0]!)
  child.disconnect()
  // Landlock is no part of what is required: kernels without it are in use.
  const required = process.env['CACHALOT_SANDBOX_REQUIRED'] === '1' && options.backend !== 'landlock'
  if (required) throw new Error(sandbox.problem.message)
  process.stderr.write(`\n!!! THE SANDBOX IS NOT TESTED (as ${options.user.name}): ${sandbox.problem.message}\n\n`)
  return undefined
}

/** What an agent says of the machine that it finds itself on. */
export async function problemOfAgent(options: AgentOptions): Promise<SandboxProblem | undefined> {
  const { child, sandbox } = await spawnAgent(options)
  child.disconnect()
  return sandbox.problem
}

async function spawnAgent(options: AgentOptions) {
  const script = path.join(import.meta.dirname, 'agent-process.ts')
  const node = options.user.uid === undefined ? process.execPath : nodeForEverybody(path.dirname(options.home))
  const [first, ...rest] = [...(options.wrapper ?? []), node]
  const child = fork(script, { execPath: first, execArgv: rest, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const waiting = new Map<number, (reply: Reply) => void>()
  const opened = new Promise<Extract<Reply, { type: 'opened' }>>((resolve, reject) => {
    child.on('message', (reply: Reply) => {
      if (reply.type === 'opened') resolve(reply)
      else waiting.get(reply.id)?.(reply)
    })
    child.once('exit', (code, signal) => reject(new Error(`the agent ended: ${code ?? signal}`)))
  })
  const { user, backend } = options
  const env = { PATH: process.env['PATH'] ?? '', HOME: options.home, LANG: 'C.UTF-8', ...options.env }
  child.send({ type: 'start', uid: user.uid, env, roots: options.roots, backend } satisfies Start)
  const { sandbox, uid } = await opened
  if (user.uid !== undefined && uid !== user.uid) throw new Error(`the agent runs as ${uid}`)
  return { child, waiting, sandbox }
}

let nextId = 1

function connect(
  child: ChildProcess,
  sandbox: Agent['sandbox'],
  waiting: Map<number, (reply: Reply) => void>,
  root: string,
): Agent {
  const ask = (request: Omit<Background, 'type' | 'id'>): Promise<Extract<Reply, { type: 'background' }>> =>
    new Promise((resolve, reject) => {
      const id = nextId++
      waiting.set(id, (reply) => {
        waiting.delete(id)
        if (reply.type === 'background') resolve(reply)
        else if (reply.type === 'failed') reject(new Error(reply.message))
      })
      child.send({ type: 'background', id, ...request } satisfies Background)
    })
  return {
    start: async (line, { policy }) => (await ask({ act: 'start', line, cwd: root, policy })).command,
    read: async (command, seconds) => (await ask({ act: 'read', command, seconds })).state!,
    stopCommand: async (command) => (await ask({ act: 'stop', command })).state!.result!,
    pid: child.pid!,
    sandbox,
    run: (line, { policy, cwd = root, stdin, limits, abortAfter, onOutput }) =>
      new Promise((resolve, reject) => {
        const id = nextId++
        waiting.set(id, (reply) => {
          if (reply.type === 'output') return onOutput?.(reply.text)
          waiting.delete(id)
          if (reply.type === 'result') resolve({ ...reply.result, rssGrowth: reply.rssGrowth })
          else if (reply.type === 'failed') reject(Object.assign(new Error(reply.message), { kind: reply.kind }))
        })
        const full = { seconds: 20, outputBytes: 65_536, ...limits }
        child.send({ type: 'run', id, line, cwd, stdin, policy, limits: full, abortAfter } satisfies Run)
      }),
    kill: (signal) => void child.kill(signal),
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve()
        child.once('exit', () => resolve())
        child.disconnect()
      }),
  }
}

export interface Place {
  readonly base: string
  readonly home: string
  readonly work: string
  remove(): void
}

/** A home and a work tree of a user, in a folder of their own. */
export function makePlace(user: User): Place {
  const base = realpathSync(mkdtempSync(path.join(tmpdir(), 'box-')))
  const home = path.join(base, 'home')
  const work = path.join(home, 'work')
  mkdirSync(work, { recursive: true })
  for (const folder of [base, home, work])
    chownSync(folder, user.uid ?? process.getuid!(), user.uid ?? process.getgid!())
  return { base, home, work, remove: () => rmSync(base, { recursive: true, force: true }) }
}

/** The usual policy: the work tree is writable, the network off. */
export const policyFor = (work: string, change: Partial<Policy> = {}): Policy => ({
  mode: 'workspace-write',
  roots: [work],
  extraWrite: [],
  denyRead: [],
  network: 'off',
  passEnv: [],
  ...change,
})
