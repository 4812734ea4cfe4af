/**
 * A sequence's state on disk, in an envelope of our own: the library ends the process when a state is cut short, so
 * length, checksums and the model's identity are checked before it sees a byte. Written beside, synced, then renamed.
 *
 * File: 16 bytes magic · u32 length of the description · description (JSON) · tokens (i32 each) · state.
 */
import { type FileHandle, open, rename, unlink } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { EngineError } from '../engine.ts'
import type { Context } from './context.ts'
import { later } from './functions.ts'

const magic = Buffer.from('cachalot-state 1')
/** Bytes written, read and summed at a time: the event loop goes on in between. */
const pieceBytes = 16 * 1024 * 1024

interface Description {
  /** Model, library and cache type: what a state depends on. */
  readonly key: string
  readonly tokens: number
  readonly stateBytes: number
  readonly tokensSum: number
  readonly stateSum: number
}

const bad = (file: string, why: string) =>
  new EngineError('bad-state', `the saved state ${file} cannot be used: ${why}. The text must be read again`)

/** Saves a sequence. Gives the file's size in bytes. */
export async function saveState(
  context: Context,
  slot: number,
  tokens: Int32Array,
  key: string,
  file: string,
): Promise<number> {
  const body = await context.inTurn(async () => {
    const { call } = context.library
    const capacity = Number(call.stateSize(context.handle, slot, 0))
    const state = Buffer.allocUnsafe(capacity)
    const bytes = Number(await later(call.stateGet, context.handle, state, capacity, slot, 0))
    if (bytes === 0) throw new EngineError('bad-state', 'the library gave no state to save')
    return state.subarray(0, bytes)
  })
  const ids = Buffer.from(tokens.buffer, tokens.byteOffset, tokens.byteLength)
  const description: Description = {
    key,
    tokens: tokens.length,
    stateBytes: body.length,
    tokensSum: crc32(ids),
    stateSum: await sum(body),
  }
  const text = Buffer.from(JSON.stringify(description))
  const size = Buffer.alloc(4)
  size.writeUInt32LE(text.length)
  const temporary = `${file}.${process.pid}.tmp`
  try {
    const handle = await open(temporary, 'w', 0o600)
    try {
      await writeAll(handle, Buffer.concat([magic, size, text, ids]))
      await writeAll(handle, body)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (cause) {
    await unlink(temporary).catch(() => undefined /* it may not exist: the first error is what counts */)
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new EngineError('bad-state', `the state could not be saved to ${file}: ${why}`, { cause })
  }
  return magic.length + 4 + text.length + ids.length + body.length
}

/** Puts a saved state into a sequence and gives its tokens. On any failure the sequence is empty. */
export async function loadState(context: Context, slot: number, key: string, file: string): Promise<Int32Array> {
  const handle = await open(file, 'r').catch((cause: NodeJS.ErrnoException) => {
    throw bad(file, cause.message)
  })
  try {
    const { size } = await handle.stat()
    const head = await readAll(handle, 0, Math.min(size, magic.length + 4))
    if (head.length < magic.length + 4 || !head.subarray(0, magic.length).equals(magic)) throw bad(file, 'not a state')
    const textBytes = head.readUInt32LE(magic.length)
    if (textBytes > 65_536 || textBytes > size) throw bad(file, 'its description is damaged')
    const description = describe(await readAll(handle, head.length, textBytes), file)
    if (description.key !== key) throw bad(file, 'it was made with another model or another version')
    const idsAt = head.length + textBytes
    const stateAt = idsAt + description.tokens * 4
    if (stateAt + description.stateBytes !== size) throw bad(file, 'it is cut short')
    if (description.tokens > context.sequenceTokens)
      throw bad(file, `it holds ${description.tokens} tokens, more than the context of ${context.sequenceTokens}`)
    const ids = await readAll(handle, idsAt, description.tokens * 4)
    const state = await readAll(handle, stateAt, description.stateBytes)
    if (crc32(ids) !== description.tokensSum || (await sum(state)) !== description.stateSum)
      throw bad(file, 'it is damaged')
    await context.replace(slot, description.tokens, async () => {
      const { call } = context.library
      const used = Number(await later(call.stateSet, context.handle, state, state.length, slot, 0))
      if (used !== state.length) throw bad(file, 'the library refused it')
    })
    return new Int32Array(ids.buffer.slice(ids.byteOffset, ids.byteOffset + ids.length))
  } finally {
    await handle.close()
  }
}

function describe(text: Buffer, file: string): Description {
  try {
    const value: Partial<Description> = JSON.parse(text.toString('utf8'))
    const { key, tokens, stateBytes, tokensSum, stateSum } = value
    const count = (n: unknown): n is number => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0
    if (typeof key === 'string' && count(tokens) && count(stateBytes) && count(tokensSum) && count(stateSum))
      return { key, tokens, stateBytes, tokensSum, stateSum }
  } catch {
    // Not JSON: damaged, as below.
  }
  throw bad(file, 'its description is damaged')
}

async function sum(bytes: Buffer): Promise<number> {
  let value = 0
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    value = crc32(bytes.subarray(at, at + pieceBytes), value)
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  return value
}

async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at, Math.min(pieceBytes, bytes.length - at))
    at += bytesWritten
  }
}

async function readAll(handle: FileHandle, from: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length)
  for (let at = 0; at < length; ) {
    const { bytesRead } = await handle.read(bytes, at, Math.min(pieceBytes, length - at), from + at)
    if (bytesRead === 0) return bytes.subarray(0, at)
    at += bytesRead
  }
  return bytes
}
