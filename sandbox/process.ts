/** Runs one planned command: output, limits, abort, and the end of its whole process tree. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { constants } from 'node:os'
import { OutputBuffer } from './output.ts'
import { feed, readAll, readReports } from './process-io.ts'
import { descendants, killMarked, signalAll, untilGone } from './process-tree.ts'
import type { SessionFolder } from './session-folder.ts'
import type { SpawnPlan } from './spawn-plan.ts'
import { Spool } from './spool.ts'
import { type CommandResult, type Limits, SandboxError } from './types.ts'
import { DEFAULT_PROCESSES, defaultMemoryLimit, watchTree } from './watchdog.ts'

export interface RunLimits {
  /** `seconds` may be Infinity: a background command. */
  readonly limits: Limits
  readonly signal: AbortSignal
  readonly stdin?: string
  readonly onOutput?: (text: string) => void
  readonly onStart?: () => void
}

export interface Ended extends CommandResult {
  /** False when bwrap failed before the command began: `output` is then what bwrap said. */
  readonly started: boolean
  /** The box was not the one that was asked for, and the command did not begin: what was wrong with it. */
  readonly misplaced?: string
}

/** Seconds between asking a command to end and ending it. After an abort a person is waiting. */
const GRACE_SECONDS = { 'timed-out': 2, aborted: 0.1 } as const
/** How long after the end of the first process its pipe may stay open, seconds. */
const DRAIN_SECONDS = 1

/** Runs the plan to its end. Rejects with SandboxError when the program cannot be started at all. */
export async function runPlan(plan: SpawnPlan, folder: SessionFolder, options: RunLimits): Promise<Ended> {
  const { limits, signal } = options
  const began = performance.now()
  const spool = new Spool(folder, folder.nextNumber())
  const output = new OutputBuffer(limits.outputBytes, (bytes) => spool.push(bytes))
  const pipe = await folder.openPipe()
  const reports = folder.openFile()
  // A socket as Node makes it for 'pipe' cannot be opened as /dev/stdout; a named pipe can, and keeps the order of both.
  const child = spawn(plan.file, plan.args, {
    env: plan.env,
    cwd: plan.cwd,
    detached: true,
    stdio: [
      options.stdin === undefined ? 'ignore' : 'pipe',
      pipe.write,
      pipe.write,
      ...plan.input.map((source) => (source === 'status' ? reports : ('pipe' as const))),
    ],
  })
  closeSync(pipe.write)
  const drained = readAll(pipe.read, (chunk) => {
    const text = output.push(chunk)
    if (text !== '') options.onOutput?.(text)
  })
  const status = readReports(reports)
  let misplaced: string | undefined
  const mayBegin = (): boolean => {
    misplaced = problemAtGate(plan, status.pid())
    if (misplaced !== undefined) child.kill('SIGKILL')
    return misplaced === undefined
  }
  feed(child, plan, options.stdin, mayBegin, options.onStart)

  let outcome: 'timed-out' | 'aborted' | undefined
  let killer: NodeJS.Timeout | undefined
  let hint: string | undefined
  const end = (reason: 'timed-out' | 'aborted'): void => {
    if (outcome !== undefined) return
    outcome = reason
    terminate(child, plan, status.pid(), 'SIGTERM')
    killer = setTimeout(() => terminate(child, plan, status.pid(), 'SIGKILL'), GRACE_SECONDS[reason] * 1000)
  }
  const timer = Number.isFinite(limits.seconds) ? setTimeout(() => end('timed-out'), limits.seconds * 1000) : undefined
  const onAbort = (): void => end('aborted')
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) end('aborted')
  const memory = limits.memoryBytes ?? defaultMemoryLimit() ?? Number.POSITIVE_INFINITY
  const treeRoot = (): number | undefined => (plan.tree === 'group' ? child.pid : status.pid())
  const watched = { bytes: memory, processes: limits.processes ?? DEFAULT_PROCESSES }
  const watchdog = watchTree(treeRoot, watched, (why) => {
    hint = `[killed: ${why}]`
    terminate(child, plan, status.pid(), 'SIGKILL')
  })
  try {
    const { code, signal: killedBy } = await exited(child, plan.file)
    await sweep(plan, child.pid, status.pid())
    await drained.within(DRAIN_SECONDS)
    const exitCode = status.exitCode() ?? code ?? 128 + (killedBy ?? 0)
    const kept = output.finish()
    return {
      outcome: outcome ?? (exitCode > 128 && exitCode <= 128 + 64 ? 'signalled' : 'exited'),
      exitCode,
      output: kept.text,
      outputBytes: output.total,
      truncated: kept.truncated,
      seconds: (performance.now() - began) / 1000,
      fullOutput: spool.path,
      hint,
      started:
        misplaced === undefined &&
        (plan.tree === 'group' || outcome !== undefined || killedBy !== undefined || status.exitCode() !== undefined),
      ...(misplaced !== undefined && { misplaced }),
    }
  } finally {
    clearTimeout(timer)
    clearTimeout(killer)
    watchdog.stop()
    signal.removeEventListener('abort', onAbort)
    drained.close()
    spool.close()
    closeSync(reports)
  }
}

/** What cannot be looked at is not right. */
function problemAtGate({ check }: SpawnPlan, pid: number | undefined): string | undefined {
  try {
    return check?.(pid)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
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
    signalAll([-child.pid, ...descendants(child.pid)], signal)
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
      resolve({ code: code ?? undefined, signal: signal === null ? undefined : constants.signals[signal] })
    })
  })
}
