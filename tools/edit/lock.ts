/** One change at a time in a work tree, so that calls that run side by side, also in two sessions, do not undo each other. */
import { createHash } from 'node:crypto'
import { mkdir, open } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ToolProblem } from '../result.ts'

const tails = new Map<string, Promise<unknown>>()

/** How long another session's change is waited for. A change takes milliseconds. */
const patienceMs = 5000

/**
 * Runs `work` when all earlier work for `root` has ended, however it ended, and while no other process does the same.
 * Rejects with ToolProblem `io` when another process holds on for too long.
 */
export const inTurn = <T>(root: string, work: () => Promise<T>): Promise<T> => turnOf(root, root, patienceMs, work)

/** The same for the records of undo, which are made beside edits and, the first time, take longer. */
export const inUndoTurn = <T>(root: string, work: () => Promise<T>): Promise<T> =>
  turnOf(`undo ${root}`, root, 60_000, work)

async function turnOf<T>(key: string, root: string, patience: number, work: () => Promise<T>): Promise<T> {
  const locked = async (): Promise<T> => {
    const release = await lockAcrossProcesses(key, root, patience)
    try {
      return await work()
    } finally {
      await release()
    }
  }
  const mine = (tails.get(key) ?? Promise.resolve()).then(locked, locked)
  tails.set(key, mine)
  try {
    return await mine
  } finally {
    if (tails.get(key) === mine) tails.delete(key)
  }
}

type Release = () => Promise<void>

/** By the kernel, which lets go when a process dies: nothing stale is ever left behind. */
async function lockAcrossProcesses(key: string, root: string, patience: number): Promise<Release> {
  const name = `cachalot-edit-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`
  const take = process.platform === 'linux' ? takeSocket : process.platform === 'darwin' ? takeFile : takeNothing
  const deadline = Date.now() + patience
  for (;;) {
    const release = await take(name)
    if (release) return release
    if (Date.now() > deadline) {
      throw new ToolProblem('io', `Another session is changing files in ${root}. Try again when it has finished.`)
    }
    await sleep(20)
  }
}

/** An abstract socket (unix(7)): a name that one process can hold and no file stands for. */
function takeSocket(name: string): Promise<Release | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) => {
      // Where such sockets are forbidden (inside another sandbox) only the turns within this process are kept.
      resolve(error.code === 'EADDRINUSE' ? undefined : takeNothing())
    })
    server.listen({ path: `\0${name}`, exclusive: true }, () => {
      resolve(() => new Promise((done) => server.close(() => done())))
    })
  })
}

/** O_EXLOCK of open(2) on macOS and the BSDs; Node has no name for it. */
const exclusiveLock = 0x20

async function takeFile(name: string): Promise<Release | undefined> {
  const { O_CREAT, O_RDWR, O_NONBLOCK } = (await import('node:fs')).constants
  const folder = join(tmpdir(), 'cachalot-locks')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  try {
    const handle = await open(join(folder, name), O_CREAT | O_RDWR | O_NONBLOCK | exclusiveLock, 0o600)
    return () => handle.close()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined
    throw error
  }
}

/** Elsewhere only the turns within this process are kept. */
const takeNothing = (): Promise<Release> => Promise.resolve(() => Promise.resolve())
