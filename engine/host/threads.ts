/**
 * How many threads to decode with. All threads wait for the slowest at every step, so one thread without a core costs
 * more than it brings: with one busy neighbour two threads on two cores fall from 28 to 5 tokens a second, where one
 * thread keeps 28 (measured). So: never more threads than cores that nobody else is using.
 */
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'

/** Milliseconds over which the load is taken at least; shorter is noise (the kernel counts in steps of 10 ms). */
const windowMs = 200
/** A window longer than this says little about now: the model was idle in it, mostly while a command ran that is over. */
const staleMs = 1500
/**
 * Cores that others may use before a thread is given up. Below half of one: a neighbour that shares its core with one of
 * our threads gets no more than that, and looks half as busy as it would like to be.
 */
const tolerance = 0.4
/** There must be room for so long (ms) before a thread is taken up again. */
const calmMs = 600
/**
 * Where others want half of the cores or more, the model rests for this share of what it worked. Cores share units in pairs: a
 * command beside one thread of the model is a quarter slower than alone. The model has this from what giving way brought it.
 */
const restShare = 0.25

export interface LoadReading {
  /** Milliseconds of the clock. */
  readonly at: number
  /** Milliseconds of work on our cores by everybody. */
  readonly everybody: number
  /** Milliseconds of work by this process. */
  readonly ours: number
}

/** Which of the machine's cores we may use, where the system tells (Linux); else all. */
function allowedCores(): ReadonlySet<number> | undefined {
  if (process.platform !== 'linux') return undefined
  const ranges = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  if (!ranges) return undefined
  const cores = new Set<number>()
  for (const range of ranges.split(',')) {
    const [from = 0, to = from] = range.split('-').map(Number)
    for (let core = from; core <= to; core++) cores.add(core)
  }
  return cores
}

const allowed = allowedCores()

/** The unit of /proc/stat, in milliseconds (USER_HZ is 100 on every architecture of Linux). */
const tickMs = 10

/** Time that our cores were not free, in milliseconds since the machine's start. */
function busyTime(): number {
  if (process.platform !== 'linux')
    return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0)
  // /proc/stat: user nice system idle iowait irq softirq steal; what the hypervisor took (steal) is not free either.
  let ticks = 0
  for (const [, core, fields] of readFileSync('/proc/stat', 'utf8').matchAll(/^cpu(\d+) (.*)$/gm)) {
    if (allowed && !allowed.has(Number(core))) continue
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (fields ?? '').split(' ').map(Number)
    ticks += user + nice + system + irq + softirq + steal
  }
  return ticks * tickMs
}

export function readLoad(): LoadReading {
  const { user, system } = process.cpuUsage()
  return { at: performance.now(), everybody: busyTime(), ours: (user + system) / 1000 }
}

/** For the bench, which shows what giving way is worth: as many threads as there may be, whatever others do. */
const steady = process.env['CACHALOT_STEADY_THREADS'] === '1'

export class ThreadGovernor {
  readonly #cores: number
  readonly #most: number
  readonly #read: () => LoadReading
  #threads: number
  #last: LoadReading
  /** For how long there has been room (ms). */
  #calm = 0
  /** Cores that others used in the last window. */
  #others = 0

  /** @param most the user's limit, never above the cores; @param read the load, injected for tests; @param cores those of this machine */
  constructor(most: number | undefined, read = readLoad, cores = availableParallelism()) {
    this.#cores = cores
    this.#most = Math.max(1, Math.min(most ?? cores, cores))
    this.#read = read
    this.#threads = this.#most
    this.#last = read()
  }

  /** Threads at most: the size of the pool. */
  get most(): number {
    return this.#most
  }

  /** Threads to use now. Cheap; to be asked before every decode, and now and then within a long one. */
  threads(now = performance.now()): number {
    const passed = now - this.#last.at
    if (passed < windowMs || steady) return this.#threads
    const reading = this.#read()
    const window = reading.at - this.#last.at
    const others = (reading.everybody - this.#last.everybody - (reading.ours - this.#last.ours)) / window
    this.#last = reading
    if (passed > staleMs) return this.#threads
    this.#others = others
    const free = Math.floor(this.#cores - others + tolerance)
    const room = Math.max(1, Math.min(this.#most, free))
    this.#calm = room > this.#threads ? this.#calm + window : 0
    if (room < this.#threads || this.#calm >= calmMs) {
      this.#threads = room
      this.#calm = 0
    }
    return this.#threads
  }

  /** How long (ms) to leave the cores alone after so much work (ms). */
  rest(worked: number): number {
    const givesWay = this.#threads < this.#most && this.#others + tolerance >= this.#cores / 2
    return givesWay ? worked * restShare : 0
  }
}
