/**
 * One network namespace for all commands of a session, with nothing in it but a loopback: a server that one command
 * started in the background is reached by the next. A command without it gets a namespace of its own from bwrap.
 */
import { spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { readReports } from '../process-io.ts'
import { SandboxError } from '../types.ts'
import { findProgram } from './binary.ts'
import { problemOf } from './problems.ts'

export interface SessionNetwork {
  /** What is put before a program, by absolute paths, so that it runs in this network. */
  readonly enter: readonly string[]
  readonly close: () => void
}

/**
 * Makes it. A process that does nothing holds it, and dies with us. `roots` are folders in which no program is looked
 * for; `openFile` gives a file for bwrap's report. Rejects with SandboxError.
 */
export async function openSessionNetwork(
  bwrap: string,
  pathVariable: string,
  roots: readonly string[],
  openFile: () => number,
): Promise<SessionNetwork> {
  const nsenter = findProgram('nsenter', pathVariable, roots)
  const cat = findProgram('cat', pathVariable, roots)
  if (nsenter === undefined || cat === undefined) {
    throw new SandboxError('missing', 'nsenter is not installed. Run: sudo apt-get install -y util-linux')
  }
  const args = ['--unshare-user', '--unshare-net', '--ro-bind', '/', '/', '--die-with-parent', '--new-session']
  const reports = openFile()
  // `cat` ends when its input does, that is with us, also when we are killed before bwrap has bound its life to ours.
  const holder = spawn(bwrap, [...args, '--info-fd', '3', '--', cat], {
    stdio: ['pipe', 'ignore', 'pipe', reports],
    env: {},
    cwd: '/',
    detached: true,
  })
  let said = ''
  holder.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  let ended = false
  for (const event of ['error', 'exit']) holder.once(event, () => (ended = true))
  let pid: number | undefined
  for (let waited = 0; pid === undefined && !ended && waited < 1000; waited++) {
    await pause(10)
    pid = readReports(reports).pid()
  }
  closeSync(reports)
  if (pid === undefined) {
    holder.kill('SIGKILL')
    const { kind, message } = problemOf(said)
    throw new SandboxError(kind, message)
  }
  // It must not keep us from ending: it ends with us.
  holder.unref()
  for (const stream of [holder.stdin, holder.stderr]) (stream as unknown as { unref(): void } | null)?.unref()
  const enter = [nsenter, '-t', String(pid), '-U', '-n', '--preserve-credentials', '--']
  await ready(enter, cat)
  return { enter, close: () => void holder.kill('SIGKILL') }
}

/** The ids of the namespace are mapped a moment after its first process is there: until then nobody can enter. */
async function ready(enter: readonly string[], program: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const [file = '', ...args] = [...enter, program, '--version']
    const code = await new Promise((resolve) => {
      spawn(file, args, { stdio: 'ignore', env: {} }).once('exit', resolve).once('error', resolve)
    })
    if (code === 0) return
    await pause(10)
  }
  throw new SandboxError('self-test', 'No sandbox: the network namespace of the session cannot be entered.')
}
