/** A check as we run it: in the sandbox, with its outcome as the exit code says. */
import { exitCode } from '../../agent/index.ts'
import type { Policy, Sandbox } from '../../sandbox/index.ts'

export interface CheckRun {
  readonly passed: boolean
  /** As a person says it: `exit 1`, `timed out after 600 s`. */
  readonly end: string
  readonly output: string
  readonly seconds: number
}

export interface CheckOptions {
  readonly command: string
  readonly cwd: string
  readonly sandbox: Sandbox
  readonly policy: Policy
  readonly seconds: number
  readonly signal: AbortSignal
}

const outputBytes = 1024 * 1024

/** Runs the check once. Rejects with SandboxError when no sandbox can be made, and when the signal aborts. */
export async function runCheck({ command, cwd, sandbox, policy, seconds, signal }: CheckOptions): Promise<CheckRun> {
  const result = await sandbox.run({ line: command, cwd }, { policy, limits: { seconds, outputBytes }, signal })
  if (result.outcome === 'aborted') throw new Error(`interrupted (${exitCode.interrupted})`)
  const timedOut = result.outcome === 'timed-out'
  return {
    passed: result.outcome === 'exited' && result.exitCode === 0,
    end: timedOut ? `timed out after ${seconds} s` : `exit ${result.exitCode}`,
    output: result.output,
    seconds: result.seconds,
  }
}

export type Reproduction =
  | { readonly kind: 'red'; readonly runs: readonly CheckRun[]; readonly last: CheckRun }
  | { readonly kind: 'green'; readonly runs: readonly CheckRun[] }
  | { readonly kind: 'flaky'; readonly runs: readonly CheckRun[] }

/** Runs the check until two runs agree or differ: red twice is a failure to repair, green twice none, else it is flaky. */
export async function reproduce(options: CheckOptions): Promise<Reproduction> {
  const first = await runCheck(options)
  const last = await runCheck(options)
  const runs = [first, last]
  if (first.passed !== last.passed) return { kind: 'flaky', runs }
  return last.passed ? { kind: 'green', runs } : { kind: 'red', runs, last }
}
