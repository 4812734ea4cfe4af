/** Processes of a command, seen from the host through /proc. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** All processes below one, children before grandchildren, without itself. Empty where /proc does not tell. */
export function descendants(pid: number): number[] {
  const found: number[] = []
  const queue = [pid]
  while (queue.length > 0) {
    for (const child of children(queue.shift()!)) {
      found.push(child)
      queue.push(child)
    }
  }
  return found
}

function children(pid: number): number[] {
  const found: number[] = []
  try {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const text = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
      found.push(...text.split(' ').filter(Boolean).map(Number))
    }
  } catch {
    // The process ended while we looked, or there is no /proc here.
  }
  return found
}

export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch {
      // Gone already: what was wanted.
    }
  }
}

/** Waits until a process is gone or only its exit status is left; at most five seconds. */
export async function untilGone(pid: number): Promise<void> {
  for (let waited = 0; waited < 5000; waited += 2) {
    if (!isRunning(pid)) return
    await sleep(2)
  }
}

/** Whether a process runs: neither absent nor a zombie. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in parentheses may hold anything; the state is the first letter after its last parenthesis.
    return !/^\) [ZX]/.test(stat.slice(stat.lastIndexOf(')')))
  } catch {
    return false
  }
}

/** Kills every process whose environment holds the line. Finds those that left their group and parent. */
export function killMarked(line: string): void {
  for (const name of procFolder()) {
    if (!/^\d+$/.test(name)) continue
    try {
      const environment = readFileSync(`/proc/${name}/environ`, 'latin1')
      if (environment.split('\0').includes(line)) process.kill(Number(name), 'SIGKILL')
    } catch {
      // Another user's, or gone: not one of ours.
    }
  }
}

function procFolder(): string[] {
  try {
    return readdirSync('/proc')
  } catch {
    return []
  }
}

/** Whether a process of this number is there, whoever's it is; one that ended and was not waited for counts as there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
