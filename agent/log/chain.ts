/**
 * The chain through a log: each line carries the digest of the line before it, so that a line which was changed, moved,
 * put in or left out is noticed by the line after it. It says that the log is as it was written, as long as its last line
 * is known; whoever may write the file can make a new chain.
 */
import { createHash } from 'node:crypto'
import type { LogRecord } from './format.ts'

/** What the first line carries. */
export const chainStart = ''

/** `prev` is the last key, so that it is found without parsing and readers still see `type` first. */
const ending = /,"prev":"([A-Za-z0-9_-]{0,43})"\}$/

/** One line of the log, without its end: the record, and the digest of the line before it (`chainStart`: there is none). */
export function sealedLine(record: LogRecord, prev: string): string {
  return `${JSON.stringify(record).slice(0, -1)},"prev":"${prev}"}`
}

/** Digest of a line, without its end: SHA-256, base64url. */
export const digestOf = (line: string): string => createHash('sha256').update(line).digest('base64url')

/** What a line says of the one before it; undefined where it says nothing. */
export const prevOf = (line: string): string | undefined => ending.exec(line)?.[1]

/** The same record after another line, also where it was written without a digest. */
export const resealed = (line: string, prev: string): string =>
  line.replace(/(?:,"prev":"[A-Za-z0-9_-]{0,43}")?\}$/, `,"prev":"${prev}"}`)
