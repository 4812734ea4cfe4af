/**
 * What the end of a saved state says of it. File: 16 bytes magic with the format's version · parts of the state · tokens
 * (i32 each) · description (JSON) · its SHA-256 · its length (u32). At the end, because it tells the sums of all that is
 * written before it. Magic and parts are filled up with zeros to whole blocks, so that parts can be read past the page cache.
 */
import { createHash, hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { EngineError } from '../engine.ts'
import { sumDigits } from './sums.ts'

/** What a disk and the system's memory are divided into, or a multiple of it. */
export const blockBytes = 4096
export const inBlocks = (bytes: number): number => Math.ceil(bytes / blockBytes) * blockBytes
/** The first block. */
export const magic = Buffer.alloc(blockBytes)
magic.write('cachalot-state 4')
/** Bytes that have one sum, and are read at a time. */
export const pieceBytes = 4 * 1024 * 1024
const mostDescriptionBytes = 16 * 1024 * 1024
const digestBytes = 32

export interface Description {
  /** Model, library and cache type: what a state depends on. */
  readonly key: string
  readonly tokens: number
  /** SHA-256, hex. */
  readonly tokensSum: string
  /** Bytes of each part that the library takes by itself. */
  readonly parts: readonly number[]
  /** See sums.ts. */
  readonly sumKey: string
  /** The sum of each piece, hex: parts begin a piece each. */
  readonly sums: readonly string[]
}

/** Why a file is refused. */
export const unusable = (file: string, why: string): EngineError =>
  new EngineError('bad-state', `the saved state ${file} cannot be used: ${why}. The text must be read again`)

const bytesOf = ({ parts }: Pick<Description, 'parts'>): number =>
  parts.reduce((sum, bytes) => sum + inBlocks(bytes), 0)

export const piecesOf = (bytes: number): number => Math.ceil(bytes / pieceBytes)

/** What stands behind the parts. */
export function tail(ids: Int32Array, about: Omit<Description, 'tokens' | 'tokensSum'>): Buffer {
  const tokens = Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength)
  const description: Description = { tokens: ids.length, tokensSum: hash('sha256', tokens), ...about }
  const text = Buffer.from(JSON.stringify(description))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  return Buffer.concat([tokens, text, createHash('sha256').update(text).digest(), length])
}

/** Reads and checks all but the parts. Rejects with EngineError `bad-state`. */
export async function readDescription(
  handle: FileHandle,
  file: string,
): Promise<{ readonly description: Description; readonly tokens: Int32Array }> {
  const { size } = await handle.stat()
  const start = await readAt(handle, 0, Math.min(size, magic.length))
  if (!start.equals(magic)) throw unusable(file, 'it is no state of this version')
  const damaged = () => unusable(file, 'it is cut short, or its description is damaged')
  const lengthAt = size - 4
  if (lengthAt < magic.length + digestBytes) throw damaged()
  const textBytes = (await readAt(handle, lengthAt, 4)).readUInt32LE()
  const textAt = lengthAt - digestBytes - textBytes
  if (textBytes > mostDescriptionBytes || textAt < magic.length) throw damaged()
  const text = await readAt(handle, textAt, textBytes)
  const digest = await readAt(handle, textAt + textBytes, digestBytes)
  if (!createHash('sha256').update(text).digest().equals(digest)) throw damaged()
  const description = parse(text)
  if (description === undefined) throw damaged()
  const tokensAt = magic.length + bytesOf(description)
  if (tokensAt + description.tokens * 4 !== textAt) throw damaged()
  const ids = await readAt(handle, tokensAt, description.tokens * 4)
  if (hash('sha256', ids) !== description.tokensSum) throw unusable(file, 'it is damaged')
  return { description, tokens: new Int32Array(ids.buffer, ids.byteOffset, description.tokens) }
}

function parse(text: Buffer): Description | undefined {
  try {
    const value: Partial<Description> = JSON.parse(text.toString('utf8'))
    const { key, tokens, tokensSum, parts, sumKey, sums } = value
    if (
      typeof key === 'string' &&
      isCount(tokens) &&
      typeof tokensSum === 'string' &&
      Array.isArray(parts) &&
      parts.every(isCount) &&
      typeof sumKey === 'string' &&
      /^[0-9a-f]{32}$/.test(sumKey) &&
      Array.isArray(sums) &&
      sums.every((sum: unknown) => typeof sum === 'string' && sum.length === sumDigits) &&
      sums.length === parts.reduce((sum, bytes) => sum + piecesOf(bytes), 0)
    )
      return { key, tokens, tokensSum, parts, sumKey, sums }
  } catch {
    // Not JSON: damaged, as its reader says.
  }
  return undefined
}

const isCount = (n: unknown): n is number => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0

/** Bytes that lie inside the file; short ones where it was cut meanwhile, which their sums tell. */
async function readAt(handle: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes)
  await fill(handle, buffer, at)
  return buffer
}

/** Fills a buffer from a place in the file, but for its first `at` bytes; gives the bytes that are there. */
export async function fill(handle: FileHandle, bytes: Buffer, from: number, at = 0): Promise<number> {
  while (at < bytes.length) {
    const { bytesRead } = await handle.read(bytes, at, bytes.length - at, from + at)
    if (bytesRead === 0) break
    at += bytesRead
  }
  return at
}
