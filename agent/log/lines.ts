/** The lines of a log, as far as they are what was written. */
import * as z from 'zod'
import { chainStart, digestOf, prevOf } from './chain.ts'
import { LogError, type LogRecord, logRecord } from './format.ts'

export interface LogLines {
  readonly records: readonly LogRecord[]
  /** Bytes of these records; what follows is torn, or comes after the break. */
  readonly wholeBytes: number
  /** Where and why the log is not as it was written; undefined where it is. */
  readonly broken: string | undefined
  /** Digest of the last of these lines. */
  readonly tip: string
}

/**
 * Parses the lines and follows the chain through them, up to the first that is damaged or does not fit to the line before
 * it. `file` is for messages. Throws LogError when a whole line holds a record of another version.
 */
export function readLines(file: string, bytes: Buffer): LogLines {
  const end = bytes.lastIndexOf(0x0a) + 1
  const records: LogRecord[] = []
  let tip = chainStart
  let at = 0
  // Logs of the first format have no chain.
  let chained = false
  for (let number = 1; at < end; number += 1) {
    const next = bytes.indexOf(0x0a, at) + 1
    const line = bytes.toString('utf8', at, next - 1)
    const broken = (why: string): LogLines => ({
      records,
      wholeBytes: at,
      broken: `The session log is not as it was written, from ${file}:${number} on: ${why}. What comes before that line is whole.`,
      tip,
    })
    const value = parsed(line)
    if (value === undefined) return broken('the line is damaged')
    if (chained && prevOf(line) !== tip) return broken('the line does not follow from the one before it')
    const record = logRecord.safeParse(value)
    if (!record.success) {
      throw new LogError(
        `The session log has a record that this version does not know, at ${file}:${number}: ${z.prettifyError(record.error)} A newer Cachalot may have written it; use that one.`,
      )
    }
    if (record.data.type === 'header' && record.data.format > 1) chained = true
    records.push(record.data)
    tip = digestOf(line)
    at = next
  }
  return { records, wholeBytes: end, broken: undefined, tip }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown
  } catch {
    // The caller says where.
    return undefined
  }
}
