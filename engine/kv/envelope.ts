/**
 * A sequence's state on disk, in an envelope of our own (description.ts): the library ends the process when a state is cut
 * short, so length, sums and the model's identity are checked before it sees a byte. Written beside, synced, then
 * renamed: a file under its final name is whole.
 *
 * A state goes through a few small buffers, part by part, and is never whole in memory: while the library takes one part the
 * next ones are read and checked. Memory that is new to a process costs more than the disk (npm run bench -- state).
 */
import { type FileHandle, open, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { EngineError } from '../engine.ts'
import {
  type Description,
  fill,
  inBlocks,
  magic,
  pieceBytes,
  piecesOf,
  readDescription,
  tail,
  unusable,
} from './description.ts'
import { flowInto } from './flow.ts'
import { temporaryFor } from './names.ts'
import { drawSumKey, sumOf } from './sums.ts'

/**
 * Reads that do not go through the page cache. They begin and end at blocks, in the file and in memory. A state is read once and
 * then lives in the library; memory for a copy of it must be found first, and is missed by the model's weights.
 */
export interface PastCache {
  /** The file opened once more for such reads; undefined where it cannot be, or is in the cache as it is. */
  open(handle: FileHandle): Promise<FileHandle | undefined>
  /** Memory that such reads can fill. */
  allocate(bytes: number): Buffer
}

/** Parts in memory at once: one is taken, the others are read. */
const partsAtOnce = 8
/** Pieces of one part that are read at once. */
const piecesAtOnce = 3

export interface SavedState {
  readonly key: string
  readonly tokens: Int32Array
  /** To be gone through once, in order. A part is only good until the next one is asked for. */
  readonly parts: AsyncIterable<Buffer>
}

export interface StateToSave {
  readonly key: string
  readonly tokens: Int32Array
  /** Each must stay as it is until the next but one is asked for. */
  readonly parts: AsyncIterable<Buffer> | Iterable<Buffer>
}

/**
 * Writes an envelope and gives its size in bytes. Rejects with EngineError: `bad-state` where it could not be written, or
 * what the parts' maker threw; then nothing is left behind.
 */
export async function writeState(file: string, { key, tokens, parts }: StateToSave): Promise<number> {
  const temporary = temporaryFor(file)
  try {
    const handle = await open(temporary, 'w', 0o600)
    let size: number
    try {
      size = await writeParts(handle, key, tokens, parts)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
    await syncFolder(dirname(file))
    return size
  } catch (cause) {
    await unlink(temporary).catch(() => undefined /* it may not exist: the first error is what counts */)
    if (cause instanceof EngineError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new EngineError('bad-state', `the state could not be saved to ${file}: ${why}`, { cause })
  }
}

async function writeParts(
  handle: FileHandle,
  key: string,
  tokens: Int32Array,
  parts: StateToSave['parts'],
): Promise<number> {
  const sumKey = drawSumKey()
  const sums: string[] = []
  const sizes: number[] = []
  let at = magic.length
  const flow = flowInto(handle)
  let writing = flow.write(magic, 0)
  try {
    for await (const part of parts) {
      await writing
      writing = flow.write(part, at)
      writing.catch(() => undefined /* thrown where it is waited for */)
      const pieces = piecesOf(part.length)
      for (const [i, piece] of [...piecesIn(part)].entries()) {
        sums.push(sumOf(sumKey, sums.length, piece))
        // A large part is written in several goes, and each is begun from here.
        if (i + 1 < pieces) await turn()
      }
      sizes.push(part.length)
      at += inBlocks(part.length)
    }
  } finally {
    await writing
  }
  const end = tail(tokens, { key, parts: sizes, sumKey, sums })
  await flow.write(end, at)
  await flow.settled()
  return at + end.length
}

/** What a file says of itself, its tokens checked, its parts not read. Rejects with EngineError `bad-state`. */
export async function describeState(file: string): Promise<Description> {
  return withFile(file, async (handle) => (await readDescription(handle, file)).description)
}

/**
 * Lets `use` have a saved state. Each part is checked before it is handed out; one that is damaged rejects with EngineError
 * `bad-state`, as everything does that cannot be used. `past`: the way past the page cache, where there is one.
 */
export async function readState<T>(file: string, use: (saved: SavedState) => Promise<T>, past?: PastCache): Promise<T> {
  return withFile(file, async (handle) => {
    const { description, tokens } = await readDescription(handle, file)
    const direct = await past?.open(handle)
    try {
      const source = direct ?? handle
      const allocate = (direct && past?.allocate) ?? Buffer.allocUnsafeSlow
      return await use({
        key: description.key,
        tokens,
        parts: partsOf({ source, handle, file, allocate }, description),
      })
    } finally {
      await direct?.close()
    }
  })
}

interface Source {
  /** Read from first. */
  readonly source: FileHandle
  /** Read from where the other one cannot. */
  readonly handle: FileHandle
  readonly file: string
  readonly allocate: (bytes: number) => Buffer
}

async function* partsOf(source: Source, description: Description): AsyncGenerator<Buffer> {
  const { parts } = description
  const room = inBlocks(Math.max(0, ...parts))
  const most = Math.min(parts.length, partsAtOnce)
  const memory = source.allocate(room * most)
  const reads: Promise<Buffer>[] = []
  let at = magic.length
  let firstSum = 0
  const read = (index: number): void => {
    const bytes = parts[index] ?? 0
    const from = (index % most) * room
    const buffer = memory.subarray(from, from + inBlocks(bytes))
    const reading = readPart(source, buffer, { bytes, at, firstSum, ...description })
    reading.catch(() => undefined /* thrown where it is waited for */)
    reads.push(reading)
    at += inBlocks(bytes)
    firstSum += piecesOf(bytes)
  }
  try {
    for (let index = 0; index < parts.length; index++) {
      // Whoever asks for the next is done with the one before: its buffer is free.
      while (reads.length < Math.min(parts.length, index + partsAtOnce)) read(reads.length)
      const part = await reads[index]
      if (part !== undefined) yield part
    }
  } finally {
    // The file must stay open for them.
    await Promise.allSettled(reads)
  }
}

interface Place extends Pick<Description, 'sumKey' | 'sums'> {
  /** Without what fills the last block. */
  readonly bytes: number
  readonly at: number
  readonly firstSum: number
}

/** Fills whole blocks with a part and checks it, some pieces at a time. */
async function readPart(from: Source, blocks: Buffer, { bytes, at, firstSum, sumKey, sums }: Place): Promise<Buffer> {
  const { source, handle, file } = from
  const pieces = [...piecesIn(blocks)].entries()
  const work = async (): Promise<void> => {
    for (const [index, piece] of pieces) {
      const place = at + index * pieceBytes
      // Some file systems take a way past the cache and then do not go it; the cache's way is always there.
      const there = await fill(source, piece, place).catch(() => 0)
      if (there < piece.length && (await fill(handle, piece, place, there)) < piece.length)
        throw unusable(file, 'it is cut short')
      const own = piece.subarray(0, bytes - index * pieceBytes)
      const filled = piece.subarray(own.length)
      if (sumOf(sumKey, firstSum + index, own) !== sums[firstSum + index] || filled.some((byte) => byte !== 0))
        throw unusable(file, 'it is damaged')
    }
  }
  // All of them, so that none still reads into a buffer that is given up.
  const results = await Promise.allSettled(Array.from({ length: piecesAtOnce }, work))
  for (const result of results) if (result.status === 'rejected') throw result.reason
  return blocks.subarray(0, bytes)
}

function* piecesIn(part: Buffer): Generator<Buffer> {
  for (let at = 0; at < part.length; at += pieceBytes) yield part.subarray(at, at + pieceBytes)
}

async function withFile<T>(file: string, work: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(file, 'r').catch((cause: NodeJS.ErrnoException) => {
    throw unusable(file, cause.message)
  })
  try {
    return await work(handle)
  } finally {
    await handle.close()
  }
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
