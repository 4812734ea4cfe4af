/**
 * A sequence's state on disk, in an envelope of our own: the library ends the process when a state is cut short, so
 * length, checksums and the model's identity are checked before it sees a byte. Written beside, synced, then renamed:
 * a file under its final name is whole.
 *
 * File: 16 bytes magic with the format's version · u32 length of the description · description (JSON) · its SHA-256 ·
 * tokens (i32 each) · state. The state is summed in pieces, so that all cores and the disk work at once.
 */
import { createHash, hash, webcrypto } from 'node:crypto'
import { type FileHandle, open, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { EngineError } from '../engine.ts'
import { temporaryFor } from './names.ts'

const magic = Buffer.from('cachalot-state 2')
/** Bytes written, read and summed at a time. */
const pieceBytes = 8 * 1024 * 1024
/** Pieces that are summed while the next one is read. */
const piecesAtOnce = 4
const mostDescriptionBytes = 1024 * 1024

/** What stands before a state. */
export interface Description {
  /** Model, library and cache type: what a state depends on. */
  readonly key: string
  readonly tokens: number
  readonly stateBytes: number
  /** SHA-256, hex. */
  readonly tokensSum: string
  /** SHA-256 of each piece of `pieceBytes`, hex. */
  readonly stateSums: readonly string[]
}

export interface SavedState {
  readonly key: string
  readonly tokens: Int32Array
  readonly state: Buffer
}

const bad = (file: string, why: string) =>
  new EngineError('bad-state', `the saved state ${file} cannot be used: ${why}. The text must be read again`)

/** Writes an envelope and gives its size in bytes. Rejects with EngineError `bad-state`; then nothing is left behind. */
export async function writeState(file: string, { key, tokens, state }: SavedState): Promise<number> {
  const ids = Buffer.from(tokens.buffer, tokens.byteOffset, tokens.byteLength)
  const headWith = (stateSums: readonly string[]): Buffer => {
    const tokensSum = hash('sha256', ids)
    const description: Description = { key, tokens: tokens.length, stateBytes: state.length, tokensSum, stateSums }
    const text = Buffer.from(JSON.stringify(description))
    const size = Buffer.alloc(4)
    size.writeUInt32LE(text.length)
    return Buffer.concat([magic, size, text, createHash('sha256').update(text).digest(), ids])
  }
  // Sums are all of one length: so is the head, and the state can be written while it is summed.
  const stateAt = headWith(new Array(Math.ceil(state.length / pieceBytes)).fill('0'.repeat(64))).length
  const temporary = temporaryFor(file)
  try {
    const handle = await open(temporary, 'w', 0o600)
    try {
      const sums = await sumsOf(state, (piece, at) => writeAll(handle, piece, stateAt + at), true)
      await writeAll(handle, headWith(sums), 0)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
    await syncFolder(dirname(file))
  } catch (cause) {
    await unlink(temporary).catch(() => undefined /* it may not exist: the first error is what counts */)
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new EngineError('bad-state', `the state could not be saved to ${file}: ${why}`, { cause })
  }
  return stateAt + state.length
}

/** What a file says of itself, its tokens checked, its state not read. Rejects with EngineError `bad-state`. */
export async function describeState(file: string): Promise<Description> {
  return withFile(file, async (handle) => (await readHead(handle, file)).description)
}

/**
 * Reads and checks a whole file. `fits` sees the description before the state is read and gives the reason why it
 * cannot be used, if there is one. Rejects with EngineError `bad-state`.
 */
export async function readState(
  file: string,
  fits: (description: Description) => string | undefined = () => undefined,
): Promise<SavedState> {
  return withFile(file, async (handle) => {
    const { description, tokens, stateAt } = await readHead(handle, file)
    const problem = fits(description)
    if (problem !== undefined) throw bad(file, problem)
    const state = Buffer.allocUnsafe(description.stateBytes)
    const sums = await sumsOf(state, async (piece, at) => {
      if ((await readInto(handle, piece, stateAt + at)) < piece.length) throw bad(file, 'it is cut short')
    })
    if (sums.some((sum, at) => sum !== description.stateSums[at])) throw bad(file, 'it is damaged')
    return { key: description.key, tokens, state }
  })
}

async function readHead(
  handle: FileHandle,
  file: string,
): Promise<{ description: Description; tokens: Int32Array; stateAt: number }> {
  const { size } = await handle.stat()
  const head = Buffer.alloc(magic.length + 4)
  if ((await readInto(handle, head, 0)) < head.length || !head.subarray(0, magic.length).equals(magic))
    throw bad(file, 'it is no state of this version')
  const textBytes = head.readUInt32LE(magic.length)
  if (textBytes > mostDescriptionBytes || head.length + textBytes + 32 > size)
    throw bad(file, 'its description is damaged')
  const text = Buffer.alloc(textBytes + 32)
  await readInto(handle, text, head.length)
  const own = createHash('sha256').update(text.subarray(0, textBytes)).digest()
  if (!own.equals(text.subarray(textBytes))) throw bad(file, 'its description is damaged')
  const description = parseDescription(text.subarray(0, textBytes), file)
  const tokensAt = head.length + text.length
  const stateAt = tokensAt + description.tokens * 4
  if (stateAt + description.stateBytes !== size) throw bad(file, 'it is cut short')
  const ids = Buffer.alloc(description.tokens * 4)
  await readInto(handle, ids, tokensAt)
  if (hash('sha256', ids) !== description.tokensSum) throw bad(file, 'it is damaged')
  return { description, stateAt, tokens: new Int32Array(ids.buffer, ids.byteOffset, description.tokens) }
}

function parseDescription(text: Buffer, file: string): Description {
  try {
    const value: Partial<Description> = JSON.parse(text.toString('utf8'))
    const { key, tokens, stateBytes, tokensSum, stateSums } = value
    const count = (n: unknown): n is number => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0
    if (
      typeof key === 'string' &&
      count(tokens) &&
      count(stateBytes) &&
      typeof tokensSum === 'string' &&
      Array.isArray(stateSums) &&
      stateSums.length === Math.ceil(stateBytes / pieceBytes)
    )
      return { key, tokens, stateBytes, tokensSum, stateSums }
  } catch {
    // Not JSON: damaged, as below.
  }
  throw bad(file, 'its description is damaged')
}

/**
 * The sum of each piece of a buffer, after `begin` has done its work with it (filled it) or while it does it (writes it, where
 * `filled`); pieces go through `begin` one by one and are summed side by side.
 */
async function sumsOf(
  buffer: Buffer,
  begin: (piece: Buffer, at: number) => Promise<void>,
  filled = false,
): Promise<readonly string[]> {
  const sums: Promise<string>[] = []
  try {
    for (let at = 0; at < buffer.length; at += pieceBytes) {
      const piece = buffer.subarray(at, at + pieceBytes)
      if (!filled) await begin(piece, at)
      sums.push(webcrypto.subtle.digest('SHA-256', piece).then((sum) => Buffer.from(sum).toString('hex')))
      if (filled) await begin(piece, at)
      if (sums.length >= piecesAtOnce) await sums.at(-piecesAtOnce)
    }
  } finally {
    await Promise.allSettled(sums)
  }
  return Promise.all(sums)
}

async function withFile<T>(file: string, work: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(file, 'r').catch((cause: NodeJS.ErrnoException) => {
    throw bad(file, cause.message)
  })
  try {
    return await work(handle)
  } finally {
    await handle.close()
  }
}

/** Writes all of it at a place in the file. */
async function writeAll(handle: FileHandle, bytes: Buffer, from: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, from + at)
    at += bytesWritten
  }
}

/** Fills the buffer from a place in the file; gives the bytes that were there. */
async function readInto(handle: FileHandle, bytes: Buffer, from: number): Promise<number> {
  let at = 0
  while (at < bytes.length) {
    const { bytesRead } = await handle.read(bytes, at, Math.min(pieceBytes, bytes.length - at), from + at)
    if (bytesRead === 0) break
    at += bytesRead
  }
  return at
}

/** The new name outlives a power cut, too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
