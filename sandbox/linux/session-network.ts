/**
 * One network namespace for all commands of a session, with nothing in it but a loopback: a server that one command
 * started in the background is reached by the next. A command without it gets a namespace of its own from bwrap.
 */
import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
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
 * for. Rejects with SandboxError.
 */
export async function openSessionNetwork(
  bwrap: string,
  pathVariable: string,
  roots: readonly string[],
): Promise<SessionNetwork> {
  const nsenter = findProgram('nsenter', pathVariable, roots)
  const sleep = findProgram('sleep', pathVariable, roots)
  if (nsenter === undefined || sleep === undefined) {
    throw new SandboxError('missing', 'nsenter is not installed. Run: sudo apt-get install -y util-linux')
  }
  const args = ['--unshare-user', '--unshare-net', '--ro-bind', '/', '/', '--die-with-parent', '--new-session']
  const holder = spawn(bwrap, [...args, '--info-fd', '3', '--', sleep, 'infinity'], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: {},
    cwd: '/',
    detached: true,
  })
  let said = ''
  holder.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const pid = await new Promise<number>((resolve, reject) => {
    let info = ''
    const report = holder.stdio[3] as Readable
    report.on('data', (chunk: Buffer) => {
      info += chunk.toString()
      const found = /"child-pid"\s*:\s*(\d+)/.exec(info)?.[1]
      if (found !== undefined) resolve(Number(found))
    })
    const failed = (): void => {
      const { kind, message } = problemOf(said)
      reject(new SandboxError(kind, message))
    }
    holder.once('error', failed)
    holder.once('exit', failed)
  })
  // It must not keep us from ending: it ends with us.
  holder.unref()
  for (const stream of [holder.stderr, holder.stdio[3]]) (stream as unknown as { unref(): void } | null)?.unref()
  const enter = [nsenter, '-t', String(pid), '-U', '-n', '--preserve-credentials', '--']
  await ready(enter, findProgram('true', pathVariable, roots) ?? sleep)
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
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new SandboxError('self-test', 'No sandbox: the network namespace of the session cannot be entered.')
}
