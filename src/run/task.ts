import { fstatSync } from 'node:fs'
import { UsageError } from '../usage-error.ts'
import { fenced } from './fence.ts'

/** What of a terminal's or caller's input the reading of a task needs; process.stdin is one. */
export type Input = AsyncIterable<Buffer | string> & { readonly isTTY?: boolean; destroy?(): void }

interface TaskRequest {
  /** The words after `run`; a lone `-` stands for stdin. */
  readonly words: readonly string[]
  readonly stdin: Input
  /** Whether stdin can hold input at all: a file, pipe or socket. */
  readonly piped: boolean
  readonly note: (text: string) => void
}

/** How long a pipe may stay silent when there is a task already; then it is taken for one that nobody writes to. */
const silentMs = 2000
const maxBytes = 8 * 1024 * 1024

/**
 * The task: the words, or stdin, or both (then stdin is the input that the words speak of). Never waits for a person:
 * without words a terminal is a usage error, and beside words a silent pipe is given up after two seconds.
 */
export async function readTask({ words, stdin, piped, note }: TaskRequest): Promise<string> {
  const wait = words.includes('-')
  const task = words
    .filter((word) => word !== '-')
    .join(' ')
    .trim()
  if (!piped) {
    if (task === '') throw new UsageError('no task given. Run: cachalot run "what to do", or pipe the task in')
    return task
  }
  const input = await readAll(stdin, task === '' || wait ? undefined : silentMs)
  if (input === undefined) {
    note('cachalot: nothing came on stdin within 2 s, going on without it (give - as an argument to wait for it)')
    return task
  }
  if (task === '' && input.trim() === '') throw new UsageError('no task given: stdin was empty')
  if (task === '') return input.trim()
  if (input.trim() === '') return task
  return `${task}\n\nInput:\n${fenced(input)}`
}

/** Whether a descriptor is something that can carry input without a person: file, pipe or socket. */
export function isPiped(descriptor: number): boolean {
  try {
    const status = fstatSync(descriptor)
    return status.isFIFO() || status.isFile() || status.isSocket()
  } catch {
    return false // closed by the caller: no input
  }
}

/** What is piped to a command of the user's; undefined when nothing came within two seconds. */
export const readStdin = (stdin: Input): Promise<string | undefined> => readAll(stdin, silentMs)

/** All of a stream as text; undefined when nothing came within the time (then the stream is let go). */
async function readAll(stream: Input, firstWithinMs: number | undefined): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  let silent = false
  const timer =
    firstWithinMs === undefined
      ? undefined
      : setTimeout(() => {
          silent = true
          stream.destroy?.()
        }, firstWithinMs)
  try {
    for await (const chunk of stream) {
      clearTimeout(timer)
      const buffer = Buffer.from(chunk)
      bytes += buffer.length
      if (bytes > maxBytes) throw new UsageError('stdin holds more than 8 MiB: save it to a file and name the file')
      chunks.push(buffer)
    }
  } catch (error) {
    if (!silent) throw error
  } finally {
    clearTimeout(timer)
  }
  return silent ? undefined : Buffer.concat(chunks).toString('utf8')
}
