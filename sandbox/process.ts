/** Runs one planned command: output, time limit, abort, and the end of its whole process tree. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { OutputBuffer } from './output.ts'
import { descendants, killMarked, signalAll, untilGone } from './process-tree.ts'
import type { SessionFolder } from './session-folder.ts'
import { type CommandResult, type Limits, SandboxError } from './types.ts'

/** What to start, and how its end is known. */
export interface SpawnPlan {
  /** Absolute path. Started without a shell. */
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** Bytes for descriptors from 3 on; `status` is the descriptor on which bwrap reports. */
  readonly input: readonly (Buffer | 'status')[]
  /** `namespace`: all processes die with the first one. `group`: a process group, and a sweep for what left it. */
  readonly tree: 'namespace' | 'group'
}

export interface RunLimits {
  readonly limits: Limits
  readonly signal: AbortSignal
  readonly stdin?: string
  readonly onOutput?: (text: string) => void
}

export interface Ended extends Omit<CommandResult, 'hint'> {
  /** False when bwrap failed before the command began: `output` is then what bwrap said. */
  readonly started: boolean
}

/** Seconds between asking a command to end and ending it. After an abort a person is waiting. */
const GRACE_SECONDS = { 'timed-out': 2, aborted: 0.1 } as const
/** How long after the end of the first process its pipe may stay open, seconds. */
const DRAIN_SECONDS = 1

/** Runs the plan to its end. Rejects with SandboxError when the program cannot be started at all. */
export async function runPlan(plan: SpawnPlan, folder: SessionFolder, options: RunLimits): Promise<Ended> {
  const began = performance.now()
  const output = new OutputBuffer(options.limits.outputBytes)
  const pipe = await folder.openPipe()
  // A socket as Node makes it for 'pipe' cannot be opened as /dev/stdout; a named pipe can, and keeps the order of both.
  const child = spawn(plan.file, plan.args, {
    env: plan.env,
    cwd: plan.cwd,
    detached: true,
    stdio: [
      options.stdin === undefined ? 'ignore' : 'pipe',
      pipe.write,
      pipe.write,
      ...plan.input.map(() => 'pipe' as const),
    ],
  })
  closeSync(pipe.write)
  const drained = readAll(pipe.read, (chunk) => {
    const text = output.push(chunk)
    if (text !== '') options.onOutput?.(text)
  })
  const status = wire(child, plan, options.stdin)

  let outcome: 'timed-out' | 'aborted' | undefined
  let killer: NodeJS.Timeout | undefined
  const end = (reason: 'timed-out' | 'aborted'): void => {
    if (outcome !== undefined) return
    outcome = reason
    terminate(child, plan, status.pid(), 'SIGTERM')
    killer = setTimeout(() => terminate(child, plan, status.pid(), 'SIGKILL'), GRACE_SECONDS[reason] * 1000)
  }
  const timer = setTimeout(() => end('timed-out'), options.limits.seconds * 1000)
  const onAbort = (): void => end('aborted')
  options.signal.addEventListener('abort', onAbort, { once: true })
  if (options.signal.aborted) end('aborted')
  try {
    const { code, signal } = await exited(child, plan.file)
    await sweep(plan, child.pid, status.pid())
    await drained.within(DRAIN_SECONDS)
    const exitCode = status.exitCode() ?? code ?? 128 + (signal ?? 0)
    const kept = output.finish()
    return {
      outcome: outcome ?? (exitCode > 128 && exitCode <= 128 + 64 ? 'signalled' : 'exited'),
      exitCode,
      output: kept.text,
      outputBytes: output.total,
      truncated: kept.truncated,
      seconds: (performance.now() - began) / 1000,
      started:
        plan.tree === 'group' || outcome !== undefined || signal !== undefined || status.exitCode() !== undefined,
    }
  } finally {
    clearTimeout(timer)
    clearTimeout(killer)
    options.signal.removeEventListener('abort', onAbort)
    drained.close()
  }
}

/** Feeds the extra descriptors and reads bwrap's reports: JSON documents, one with the pid, one with the exit code. */
function wire(child: ChildProcess, plan: SpawnPlan, stdin: string | undefined) {
  let reports = ''
  for (const [index, source] of plan.input.entries()) {
    const stream = child.stdio[index + 3]
    if (stream === null || stream === undefined) continue
    // A program that ended before reading its input closes the pipe; how it ended is told elsewhere.
    stream.on('error', () => undefined)
    if (source === 'status') stream.on('data', (chunk: Buffer) => (reports += chunk.toString()))
    else (stream as Writable).end(source)
  }
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(stdin)
  const number = (name: string): number | undefined => {
    const value = new RegExp(`"${name}"\\s*:\\s*(\\d+)`).exec(reports)?.[1]
    return value === undefined ? undefined : Number(value)
  }
  return { pid: () => number('child-pid'), exitCode: () => number('exit-code') }
}

/** TERM goes to the processes inside, so that their traps run: bwrap itself would take them down at once. */
function terminate(
  child: ChildProcess,
  plan: SpawnPlan,
  init: number | undefined,
  signal: 'SIGTERM' | 'SIGKILL',
): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  if (plan.tree === 'group') {
    const others = descendants(child.pid)
    signalAll([-child.pid, ...others], signal)
  } else if (signal === 'SIGTERM' && init !== undefined) {
    signalAll(descendants(init), signal)
  } else {
    child.kill('SIGKILL')
  }
}

/** Nothing that the command started is left: the namespace is waited for, a group is killed and searched. */
async function sweep(plan: SpawnPlan, pid: number | undefined, init: number | undefined): Promise<void> {
  if (plan.tree === 'namespace') {
    if (init !== undefined) await untilGone(init)
    return
  }
  if (pid !== undefined) signalAll([-pid], 'SIGKILL')
  const mark = plan.env[COMMAND_MARK]
  if (mark !== undefined) killMarked(`${COMMAND_MARK}=${mark}`)
}

/** Environment variable by which processes of an unconfined command are found again after they left its group. */
export const COMMAND_MARK = 'SANDBOX_COMMAND'

function exited(child: ChildProcess, file: string): Promise<{ code: number | undefined; signal: number | undefined }> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new SandboxError('missing', `Cannot start ${file}: ${error.message}`)))
    child.once('exit', (code, signal) => {
      resolve({ code: code ?? undefined, signal: signal === null ? undefined : signalNumber(signal) })
    })
  })
}

const NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGSYS: 31,
}

const signalNumber = (name: string): number => NUMBERS[name] ?? 0

/** Reads a descriptor until nobody writes to it any more. */
function readAll(descriptor: number, onData: (chunk: Buffer) => void) {
  const socket = new Socket({ fd: descriptor, readable: true, writable: false })
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  // A read error on our own pipe ends the output; the command's end is told by its exit.
  socket.on('error', () => socket.destroy())
  socket.on('data', onData)
  return {
    async within(seconds: number): Promise<void> {
      let timer: NodeJS.Timeout | undefined
      await Promise.race([closed, new Promise<void>((resolve) => (timer = setTimeout(resolve, seconds * 1000)))])
      clearTimeout(timer)
    },
    close: () => socket.destroy(),
  }
}
