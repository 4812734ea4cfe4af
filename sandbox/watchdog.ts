/** Ends a command that takes too much memory or too many processes: without cgroups (root in a container, no user manager) nobody else does. */
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

/** Processes that a command may have at once when nothing else was said. */
export const DEFAULT_PROCESSES = 4096

/**
 * Looks at all processes below `root` four times a second and calls `onExceeded` once, with words for model and user, when
 * they are too many or use more than `bytes` together. Counted is what only they hold: anonymous and shared memory, not
 * mapped files.
 */
export function watchTree(
  root: () => number | undefined,
  limits: { readonly bytes: number; readonly processes: number },
  onExceeded: (why: string) => void,
) {
  const timer = setInterval(() => {
    const pid = root()
    if (pid === undefined) return
    const all = descendants(pid)
    const many = all.length > limits.processes
    const used = many ? 0 : all.reduce((sum, each) => sum + memoryOf(each), 0)
    if (!many && used <= limits.bytes) return
    clearInterval(timer)
    onExceeded(
      many
        ? `the command had ${all.length} processes, ${limits.processes} are allowed`
        : `the command used ${megabytes(used)} MB of memory, ${megabytes(limits.bytes)} MB are allowed`,
    )
  }, INTERVAL_MS)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}

const megabytes = (bytes: number): number => Math.round(bytes / 2 ** 20)

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
