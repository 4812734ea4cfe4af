/** Reads a session log back. */
import { readFile } from 'node:fs/promises'
import type { Message, Segment, ToolCall } from '../../engine/index.ts'
import { LogError, type LogHeader, type LogRecord, type Placed, type ShownFile } from './format.ts'
import { readLines } from './lines.ts'
import { segmentsOf } from './segments.ts'
import { chain } from './write.ts'

export interface LoadedLog {
  readonly header: LogHeader
  /** What the model saw, exactly: what `Model.start` takes. */
  readonly segments: readonly Segment[]
  /** Calls of the last reply that have no result yet: the program ended while they ran. */
  readonly openCalls: readonly ToolCall[]
  readonly shownFiles: readonly ShownFile[]
  /** Id → text of what was paged out. */
  readonly pages: ReadonlyMap<string, string>
  readonly records: readonly LogRecord[]
  /** Bytes up to the end of the last line that counts: what follows was torn by a crash, or comes after `broken`. */
  readonly wholeBytes: number
  /** Set when the log is not as it was written: everything here comes from before that place. For a person. */
  readonly broken: string | undefined
  /** Digest of the last line that counts, see chain.ts. */
  readonly tip: string
  /** The chain of digests over the messages, see `chain`. */
  readonly visible: string
}

/**
 * Loads a log. A last line without its end (a crash in mid-write) is left out. Where the log is damaged, or its chain does
 * not hold, it ends before that place and `broken` says so: a conversation with a hole in it is not the one that was had.
 * Throws LogError for what is no log, and for one of a newer version.
 */
export async function loadLog(file: string): Promise<LoadedLog> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new LogError(`Cannot read the session log ${file}: ${error instanceof Error ? error.message : String(error)}`)
  })
  const { records, wholeBytes, broken, tip } = readLines(file, bytes)
  const [header] = records
  if (header?.type !== 'header') throw new LogError(`${file} is not a session log: its first line is no header.`)

  const shownFiles = new Map<string, ShownFile>()
  const pages = new Map<string, string>()
  let seen: { readonly placed: Placed; readonly visible: string }[] = []
  for (const [index, record] of records.entries()) {
    if (record.type === 'files') for (const shown of record.files) shownFiles.set(shown.path, shown)
    if (record.type === 'message') seen.push({ placed: record, visible: chain(seen.at(-1)?.visible ?? '', record) })
    if (record.type === 'rebuild') {
      seen = []
      for (const placed of record.messages) seen.push({ placed, visible: chain(seen.at(-1)?.visible ?? '', placed) })
      for (const { id, text } of record.pages) pages.set(id, text)
      for (const path of record.gone) shownFiles.delete(path)
    }
    if (record.type !== 'rewind') continue
    const at = seen.findLastIndex(({ visible }) => visible === record.to)
    if (at < 0)
      throw new LogError(`The session log is damaged at ${file}:${index + 1}: it goes back to no place in it.`)
    seen = seen.slice(0, at + 1)
  }
  const segments = segmentsOf(seen.map(({ placed }) => placed))
  return {
    header,
    segments,
    openCalls: openCalls(segments.flatMap((segment) => segment.messages)),
    shownFiles: [...shownFiles.values()],
    pages,
    records,
    wholeBytes,
    broken,
    tip,
    visible: seen.at(-1)?.visible ?? '',
  }
}

/** The calls of the last reply to which no result was given. */
export function openCalls(messages: readonly Message[]): readonly ToolCall[] {
  const at = messages.findLastIndex((message) => message.role === 'assistant')
  const reply = messages[at]
  if (reply?.role !== 'assistant') return []
  const answered = new Set(messages.slice(at).flatMap((message) => (message.role === 'tool' ? [message.callId] : [])))
  return reply.calls.filter((call) => !answered.has(call.id))
}
