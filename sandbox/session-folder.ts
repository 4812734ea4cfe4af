/** The private folder of this process on the host: the /tmp that its commands share, and pipes for their output. */
import { execFile } from 'node:child_process'
import {
  constants,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  realpathSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { findProgram } from './linux/binary.ts'
import { isInside } from './policy.ts'
import { isAlive } from './process-tree.ts'
import { SandboxError } from './types.ts'

const PREFIX = 'cachalot-box-'
const BATCH = 32

export interface SessionFolder {
  readonly path: string
  /** Counts the commands of this process. */
  nextNumber(): number
  /** A file without a name, to be read and written. */
  openFile(): number
  /** A pipe with a name that is gone again: what a command writes to, and our end of it. */
  openPipe(): Promise<{ readonly read: number; readonly write: number }>
}

/**
 * Makes the folder, mode 0700, removed when the process exits. What a killed process left is removed at the next
 * start: the name holds the process id.
 */
export function openSessionFolder(roots: readonly string[], pathVariable: string): SessionFolder {
  const wanted = realpathSync(tmpdir())
  // A command must not be able to change the folder itself, only the `tmp` in it that it is given.
  const base = roots.some((root) => isInside(wanted, root)) ? '/tmp' : wanted
  sweep(base)
  const folder = mkdtempSync(path.join(base, `${PREFIX}${process.pid}-`))
  mkdirSync(path.join(folder, 'tmp'), { mode: 0o700 })
  writeFileSync(path.join(folder, 'empty'), '', { mode: 0o444 })
  process.on('exit', () => {
    try {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3, retryDelay: 5 })
    } catch {
      // Something is being made in it while we end (mkfifo): the next start removes it. The exit code is not lost for that.
    }
  })

  const ready: string[] = []
  let made = 0
  let making: Promise<void> | undefined
  const make = async (): Promise<void> => {
    const names = Array.from({ length: BATCH }, () => path.join(folder, `out-${made++}`))
    const mkfifo = findProgram('mkfifo', pathVariable, roots)
    if (mkfifo === undefined)
      throw new SandboxError('missing', 'mkfifo is not installed. Run: sudo apt-get install -y coreutils')
    await promisify(execFile)(mkfifo, ['-m', '600', ...names])
    ready.push(...names)
  }
  const fill = (): Promise<void> => {
    making ??= make().finally(() => {
      making = undefined
    })
    return making
  }
  // Beside the other looks at the start. Who needs a pipe hears of a failure, by asking again.
  fill().catch(() => undefined)
  let number = 0
  return {
    path: folder,
    nextNumber: () => ++number,
    openFile() {
      const name = path.join(folder, `file-${made++}`)
      const descriptor = openSync(name, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600)
      unlinkSync(name)
      return descriptor
    },
    async openPipe() {
      while (ready.length === 0) await fill()
      const name = ready.pop()!
      // Our end first and without waiting; with a reader there, the writer's end opens at once.
      const read = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK)
      const write = openSync(name, constants.O_WRONLY)
      unlinkSync(name)
      return { read, write }
    },
  }
}

/**
 * Removes folders of processes that are gone. Only our own: in a folder that another user laid out under such a name,
 * removing could be led elsewhere while it goes on.
 */
function sweep(base: string): void {
  for (const name of readdirSync(base)) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]
    if (pid === undefined || isAlive(Number(pid))) continue
    const folder = path.join(base, name)
    const stat = lstatSync(folder, { throwIfNoEntry: false })
    if (stat?.isDirectory() !== true || stat.uid !== process.geteuid?.() || (stat.mode & 0o077) !== 0) continue
    try {
      rmSync(folder, { recursive: true, force: true })
    } catch {
      // Something in it cannot be removed; the next start tries again.
    }
  }
}
