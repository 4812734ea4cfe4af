/** Ends a command that takes too much memory: without cgroups (root in a container, no user manager) nobody else does. */
import { readFileSync } from 'node:fs'
import { descendants } from './process-tree.ts'

const INTERVAL_MS = 250
/** A part of what is free when the command starts; the rest is for the agent and its model. */
const SHARE = 0.75

/** Bytes that a command may use when nothing else was said; undefined where the system does not tell. */
export function defaultMemoryLimit(): number | undefined {
  try {
    const free = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]
    return free === undefined ? undefined : Number(free) * 1024 * SHARE
  } catch {
    // No /proc: macOS, where this guard does not exist.
    return undefined
  }
}

/**
 * Looks at all processes below `root` four times a second and calls `onExceeded` once when they use more than `limit`
 * bytes together. Counted is what only they hold: anonymous and shared memory, not mapped files.
 */
export function watchMemory(root: () => number | undefined, limit: number, onExceeded: (bytes: number) => void) {
  const timer = setInterval(() => {
    const pid = root()
    if (pid === undefined) return
    const used = descendants(pid).reduce((sum, each) => sum + memoryOf(each), 0)
    if (used <= limit) return
    clearInterval(timer)
    onExceeded(used)
  }, INTERVAL_MS)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}

function memoryOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const kilobytes = ['RssAnon', 'RssShmem'].map((name) =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0),
    )
    return kilobytes.reduce((a, b) => a + b, 0) * 1024
  } catch {
    // Ended while we looked.
    return 0
  }
}
