/** The descriptors of a command that runs: what it is fed, what it writes, and what bwrap reports of it. */
import type { ChildProcess } from 'node:child_process'
import { readSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import type { SpawnPlan } from './spawn-plan.ts'

/** Feeds the extra descriptors, and answers at the gate, where `mayBegin` says so. */
export function feed(
  child: ChildProcess,
  plan: SpawnPlan,
  stdin: string | undefined,
  mayBegin: () => boolean,
  onStart?: () => void,
): void {
  if (plan.tree === 'group') child.once('spawn', () => onStart?.())
  for (const [index, source] of plan.input.entries()) {
    const stream = child.stdio[index + 3]
    if (stream === null || stream === undefined) continue
    // A program that ended before reading its input closes the pipe; how it ended is told elsewhere.
    stream.on('error', () => undefined)
    const input = stream as Writable
    if (source === 'gate') {
      stream.once('data', () => {
        if (!mayBegin()) return
        onStart?.()
        input.end('go\n')
      })
    } else if (source !== 'status') input.end(source)
  }
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(stdin)
}

/**
 * bwrap's reports: JSON documents, one with the pid, one with the exit code. In a file and not a pipe: bwrap that writes
 * to a pipe nobody reads any more is killed half-way, and leaves a process that waits for ever.
 */
export function readReports(descriptor: number) {
  const number = (name: string): number | undefined => {
    const buffer = Buffer.alloc(4096)
    const text = buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, buffer.length, 0))
    const value = new RegExp(`"${name}"\\s*:\\s*(\\d+)`).exec(text)?.[1]
    return value === undefined ? undefined : Number(value)
  }
  return {
    /** The first process inside, as the host numbers it. */
    pid: () => number('child-pid'),
    /** Set only when the command itself began. */
    exitCode: () => number('exit-code'),
  }
}

/** Reads a descriptor until nobody writes to it any more. */
export function readAll(descriptor: number, onData: (chunk: Buffer) => void) {
  const socket = new Socket({ fd: descriptor, readable: true, writable: false })
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  // A read error on our own pipe ends the output; the command's end is told by its exit.
  socket.on('error', () => socket.destroy())
  socket.on('data', onData)
  return {
    async within(seconds: number): Promise<void> {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, seconds * 1000)
      })
      await Promise.race([closed, late])
      clearTimeout(timer)
    },
    close: () => socket.destroy(),
  }
}
