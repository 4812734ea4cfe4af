/** Reads a session log back. */
import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import type { Message, Segment, ToolCall } from '../../engine/index.ts'
import { LogError, type LogHeader, type LogRecord, logRecord, type Placed, type ShownFile } from './format.ts'
import { chain } from './write.ts'

export interface LoadedLog {
  readonly header: LogHeader
  /** What the model saw, exactly: what `Model.start` takes. */
  readonly segments: readonly Segment[]
  /** Calls of the last reply that have no result yet: the program ended while they ran. */
  readonly openCalls: readonly ToolCall[]
  readonly shownFiles: readonly ShownFile[]
  readonly records: readonly LogRecord[]
  /** Bytes up to the end of the last whole line; the rest was torn by a crash and does not count. */
  readonly wholeBytes: number
  /** The chain of digests over the messages, see `chain`. */
  readonly visible: string
}

/**
 * Loads a log. A last line without its end (a crash in mid-write) is left out; damage anywhere else is an error, for
 * a conversation with a hole in it is not the one that was had. Throws LogError.
 */
export async function loadLog(file: string): Promise<LoadedLog> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new LogError(`Cannot read the session log ${file}: ${error instanceof Error ? error.message : String(error)}`)
  })
  const wholeBytes = bytes.lastIndexOf(0x0a) + 1
  const lines = bytes.toString('utf8', 0, wholeBytes).split('\n').slice(0, -1)
  const records = lines.map((line, index) => parseLine(line, `${file}:${index + 1}`))
  const [header] = records
  if (header?.type !== 'header') throw new LogError(`${file} is not a session log: its first line is no header.`)

  const shownFiles = new Map<string, ShownFile>()
  let seen: { readonly placed: Placed; readonly visible: string }[] = []
  for (const [index, record] of records.entries()) {
    if (record.type === 'files') for (const shown of record.files) shownFiles.set(shown.path, shown)
    if (record.type === 'message') seen.push({ placed: record, visible: chain(seen.at(-1)?.visible ?? '', record) })
    if (record.type !== 'rewind') continue
    const at = seen.findLastIndex(({ visible }) => visible === record.to)
    if (at < 0)
      throw new LogError(`The session log is damaged at ${file}:${index + 1}: it goes back to no place in it.`)
    seen = seen.slice(0, at + 1)
  }
  const segments: { name: Segment['name']; messages: Message[] }[] = []
  for (const { placed } of seen) {
    const current = segments.at(-1)
    if (current?.name === placed.segment) current.messages.push(placed.message)
    else segments.push({ name: placed.segment, messages: [placed.message] })
  }
  return {
    header,
    segments,
    openCalls: openCalls(segments.flatMap((segment) => segment.messages)),
    shownFiles: [...shownFiles.values()],
    records,
    wholeBytes,
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

function parseLine(line: string, where: string): LogRecord {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    throw new LogError(
      `The session log is damaged at ${where}: ${String(error)}. Cut the file before that line to keep what came earlier.`,
    )
  }
  const parsed = logRecord.safeParse(value)
  if (parsed.success) return parsed.data
  throw new LogError(
    `The session log has a record that this version does not know, at ${where}: ${z.prettifyError(parsed.error)} A newer Cachalot may have written it; use that one.`,
  )
}
