/**
 * One process at a time for one file, told by a lock file beside it. Not proper-lockfile: its locks outlive a killed
 * process by ten seconds; here a dead holder on this machine is noticed at once.
 */
import { randomUUID } from 'node:crypto'
import { link, readFile, readlink, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { isAlive } from '../alive.ts'

/** The holder shows life this often; after so long without, one on another machine or in another container is dead. */
const beatMs = 2_000
const deadAfterMs = 20_000

interface Holder {
  readonly token: string
  readonly pid: number
  /** Where the pid means something: host name and PID namespace. */
  readonly place: string
  /** When the process started, in the kernel's ticks: a pid is used again. */
  readonly started: string
}

export interface Lock {
  /** Whether the lock is still ours; false only when another process wrongly took us for dead. */
  held(): Promise<boolean>
  release(): Promise<void>
}

/** Takes the lock, waiting for its holder; `onWait` is told once whom it waits for. Rejects when the signal aborts. */
export async function takeLock(
  path: string,
  { signal, onWait }: { signal: AbortSignal; onWait: (pid: number | undefined) => void },
): Promise<Lock> {
  const self: Holder = { token: randomUUID(), pid: process.pid, place: await place(), started: await started('self') }
  let told = false
  for (;;) {
    signal.throwIfAborted()
    if (await tryTake(path, self)) return hold(path, self)
    const holder = await readHolder(path)
    if (holder === 'gone') continue
    if (await isDead(path, holder, self)) {
      await removeDead(path, holder)
      continue
    }
    if (!told) onWait(holder?.pid)
    told = true
    await wait(200, undefined, { signal })
  }
}

async function tryTake(path: string, self: Holder): Promise<boolean> {
  const draft = `${path}.${self.token}`
  await writeFile(draft, JSON.stringify(self))
  try {
    // A hard link is made whole or not at all, and only where there is none.
    await link(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

function hold(path: string, self: Holder): Lock {
  const beat = setInterval(() => {
    const now = new Date()
    // A lock file that is gone is noticed by held().
    utimes(path, now, now).catch(() => undefined)
  }, beatMs)
  beat.unref()
  const held = async (): Promise<boolean> => {
    const holder = await readHolder(path)
    return holder !== 'gone' && holder?.token === self.token
  }
  return {
    held,
    async release() {
      clearInterval(beat)
      if (await held()) await rm(path, { force: true })
    },
  }
}

/** Undefined for a file that no holder of ours wrote. */
async function readHolder(path: string): Promise<Holder | undefined | 'gone'> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'))
    return isHolder(value) ? value : undefined
  } catch (error) {
    return error instanceof SyntaxError ? undefined : 'gone'
  }
}

function isHolder(value: unknown): value is Holder {
  if (typeof value !== 'object' || value === null) return false
  const { token, pid, place, started } = value as Record<string, unknown>
  return (
    typeof token === 'string' && Number.isSafeInteger(pid) && typeof place === 'string' && typeof started === 'string'
  )
}

async function isDead(path: string, holder: Holder | undefined, self: Holder): Promise<boolean> {
  if (holder !== undefined && holder.place === self.place) {
    return !isAlive(holder.pid) || (await started(holder.pid)) !== holder.started
  }
  const beat = await stat(path).catch(() => undefined)
  return beat !== undefined && Date.now() - beat.mtimeMs > deadAfterMs
}

/**
 * Removes a dead holder's file. One process at a time, under a second lock file, and only while it is still the dead
 * one's: whoever saw it a moment ago must not remove what a living process took since.
 */
async function removeDead(path: string, dead: Holder | undefined): Promise<void> {
  const breaking = `${path}.break`
  try {
    await writeFile(breaking, '', { flag: 'wx' })
  } catch {
    // Another process is at it. One that died at it is passed after a while.
    const made = await stat(breaking).catch(() => undefined)
    if (made !== undefined && Date.now() - made.mtimeMs > deadAfterMs) await rm(breaking, { force: true })
    await wait(10)
    return
  }
  try {
    const holder = await readHolder(path)
    if (holder !== 'gone' && holder?.token === dead?.token) await rm(path, { force: true })
  } finally {
    await rm(breaking, { force: true })
  }
}

async function place(): Promise<string> {
  // Only Linux has PID namespaces; elsewhere the host alone tells.
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '')
  return `${hostname()} ${namespace}`
}

async function started(pid: number | 'self'): Promise<string> {
  // Without /proc the pid alone has to do.
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // Fields 3 and 22, counted after the command's name, which may hold spaces and parentheses (proc(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  // A killed process keeps its pid until its parent asks how it ended; its files are closed by then.
  return fields[0] === 'Z' ? 'ended' : (fields[19] ?? '')
}
