/** Reads the header of a GGUF file: metadata and tensor list. Safe on any input; never reads the weights. */
import { type FileHandle, open, stat } from 'node:fs/promises'
import { EngineError } from '../engine.ts'
import { ByteCursor } from './bytes.ts'
import {
  blockLayout,
  type GgufArray,
  type GgufHeader,
  type GgufScalar,
  type GgufTensor,
  type GgufValue,
} from './types.ts'

/** Far above any real model (a 1M-entry vocabulary is about 30 MB of header); keeps a hostile file from costing minutes. */
const limits = { entries: 65_536, tensors: 65_536, keyBytes: 65_535, headerBytes: 512 * 1024 * 1024, dimensions: 4 }

type ScalarReader = { readonly bytes: number; readonly read: (b: Buffer) => GgufScalar }

/** A 64-bit integer as a number where it is safe as one. */
const whole = (value: bigint): number | bigint =>
  value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER) ? Number(value) : value

const STRING = 8
const ARRAY = 9
/** `gguf_metadata_value_type` of the format, without string and array. */
const scalars: Readonly<Record<number, ScalarReader>> = {
  0: { bytes: 1, read: (b) => b.readUInt8() },
  1: { bytes: 1, read: (b) => b.readInt8() },
  2: { bytes: 2, read: (b) => b.readUInt16LE() },
  3: { bytes: 2, read: (b) => b.readInt16LE() },
  4: { bytes: 4, read: (b) => b.readUInt32LE() },
  5: { bytes: 4, read: (b) => b.readInt32LE() },
  6: { bytes: 4, read: (b) => b.readFloatLE() },
  7: { bytes: 1, read: (b) => b.readUInt8() !== 0 },
  10: { bytes: 8, read: (b) => whole(b.readBigUInt64LE()) },
  11: { bytes: 8, read: (b) => whole(b.readBigInt64LE()) },
  12: { bytes: 8, read: (b) => b.readDoubleLE() },
}

const again = 'Download it again: cachalot model pull'

const broken = (what: string) => new EngineError('not-gguf', `the GGUF header is damaged: ${what}. ${again}`)

/**
 * Reads and checks the header of a GGUF file (versions 2 and 3, little-endian).
 * @param keepArrays arrays up to this length come with their values; longer ones with their length only
 * @throws EngineError `file-missing`, `not-gguf` or `truncated` (also when the weights reach beyond the end of the file)
 */
export async function readGgufHeader(path: string, { keepArrays = 4096 } = {}): Promise<GgufHeader> {
  const missing = (error: NodeJS.ErrnoException): never => {
    const why =
      error.code === 'ENOENT'
        ? `there is no model file ${path}. See which models are here: cachalot model list`
        : `the model file ${path} cannot be read (${error.code ?? error.message})`
    throw new EngineError('file-missing', why, { cause: error })
  }
  // Looked at before it is opened: to open a pipe waits for somebody who writes into it.
  const found = await stat(path).catch(missing)
  if (!found.isFile()) {
    const what = found.isDirectory() ? 'a folder' : 'no regular file'
    throw new EngineError('file-missing', `${path} is ${what}. Give the path of a model's .gguf file`)
  }
  const file = await open(path).catch(missing)
  try {
    return await parse(file, keepArrays)
  } catch (error) {
    if (error instanceof EngineError) throw new EngineError(error.kind, `${path}: ${error.message}`)
    if (error instanceof Error && 'syscall' in error)
      throw new EngineError('file-missing', `cannot read the model file ${path}: ${error.message}`, { cause: error })
    throw error
  } finally {
    await file.close()
  }
}

async function parse(file: FileHandle, keepArrays: number): Promise<GgufHeader> {
  const { size: fileBytes } = await file.stat()
  const cursor = new ByteCursor(file, fileBytes)
  if (fileBytes < 4) throw new EngineError('not-gguf', `not a GGUF file (${fileBytes} bytes long). ${again}`)
  await cursor.need(4)
  const magic = cursor.take(4).toString('latin1')
  if (magic !== 'GGUF') {
    const what = /^\s*<|^\{/.test(magic) ? 'it looks like a web page or a JSON answer' : 'its first bytes are wrong'
    throw new EngineError('not-gguf', `not a GGUF file: ${what}. Is it a download that went wrong? ${again}`)
  }
  const version = await u32(cursor)
  if (version !== 2 && version !== 3)
    throw new EngineError(
      'not-gguf',
      `GGUF version ${version} is not supported (2 and 3 are; big-endian files are not)`,
    )
  const tensorCount = await count(cursor, limits.tensors, 'tensors')
  const entryCount = await count(cursor, limits.entries, 'metadata entries')

  const metadata = new Map<string, GgufValue>()
  for (let i = 0; i < entryCount; i++) {
    const key = await text(cursor, limits.keyBytes)
    if (metadata.has(key)) throw broken(`the key ${key} occurs twice`)
    metadata.set(key, await value(cursor, await u32(cursor), keepArrays))
    if (cursor.position > limits.headerBytes) throw broken('it is too long')
  }
  const tensors: GgufTensor[] = []
  for (let i = 0; i < tensorCount; i++) tensors.push(await tensor(cursor))

  const alignment = metadata.get('general.alignment') ?? 32
  if (typeof alignment !== 'number' || alignment < 1 || alignment > 65_536 || (alignment & (alignment - 1)) !== 0)
    throw broken('general.alignment is not a power of two')
  const dataOffset = Math.ceil(cursor.position / alignment) * alignment
  const end = tensors.reduce((most, t) => Math.max(most, t.offset + (t.bytes ?? 0)), 0)
  if (dataOffset + end > fileBytes) {
    const missing = dataOffset + end - fileBytes
    throw new EngineError(
      'truncated',
      `the file is cut off: ${missing} bytes of ${dataOffset + end} are missing. ${again}`,
    )
  }
  const tensorBytes = tensors.reduce((sum, t) => sum + (t.bytes ?? 0), 0)
  return { version, metadata, tensors, dataOffset, fileBytes, tensorBytes, digest: cursor.digest() }
}

async function u32(cursor: ByteCursor): Promise<number> {
  await cursor.need(4)
  return cursor.take(4).readUInt32LE()
}

async function count(cursor: ByteCursor, most: number, what: string): Promise<number> {
  await cursor.need(8)
  const n = cursor.take(8).readBigUInt64LE()
  if (n > BigInt(most)) throw broken(`${n} ${what}`)
  return Number(n)
}

/** The length of something of which each part takes so many bytes: no more than the file can still hold. */
function fitting(cursor: ByteCursor, n: bigint, partBytes: number): number {
  if (n * BigInt(partBytes) > BigInt(limits.headerBytes)) throw broken(`something in it is ${n} long`)
  if (n * BigInt(partBytes) > BigInt(cursor.remaining))
    throw new EngineError('truncated', `the file ends inside its header, after ${cursor.position} bytes. ${again}`)
  return Number(n)
}

async function length(cursor: ByteCursor, partBytes: number): Promise<number> {
  await cursor.need(8)
  return fitting(cursor, cursor.take(8).readBigUInt64LE(), partBytes)
}

async function text(cursor: ByteCursor, most: number): Promise<string> {
  const bytes = await length(cursor, 1)
  if (bytes > most) throw broken(`a name of ${bytes} bytes`)
  await cursor.need(bytes)
  return cursor.take(bytes).toString('utf8')
}

async function value(cursor: ByteCursor, type: number, keepArrays: number): Promise<GgufValue> {
  if (type === ARRAY) return array(cursor, keepArrays)
  if (type === STRING) return text(cursor, limits.headerBytes)
  const scalar = scalars[type]
  if (!scalar) throw broken(`a value of unknown type ${type}`)
  await cursor.need(scalar.bytes)
  return scalar.read(cursor.take(scalar.bytes))
}

async function array(cursor: ByteCursor, keepArrays: number): Promise<GgufArray> {
  const type = await u32(cursor)
  const scalar = scalars[type]
  if (!scalar && type !== STRING) throw broken(`an array of unknown type ${type}`)
  // Every element takes at least this much, so a made-up length ends here and not in a long loop.
  const elements = await length(cursor, scalar?.bytes ?? 8)
  const values: GgufScalar[] | undefined = elements <= keepArrays ? [] : undefined
  if (scalar && !values) {
    await cursor.skip(elements * scalar.bytes)
    return { length: elements }
  }
  for (let i = 0; i < elements; i++) {
    // Awaiting only where bytes must be fetched: a vocabulary has hundreds of thousands of strings.
    const head = scalar?.bytes ?? 8
    if (!cursor.has(head)) await cursor.need(head)
    if (scalar) {
      values?.push(scalar.read(cursor.take(head)))
      continue
    }
    const size = fitting(cursor, cursor.take(8).readBigUInt64LE(), 1)
    if (!cursor.has(size)) await cursor.need(size)
    const piece = cursor.take(size)
    values?.push(piece.toString('utf8'))
  }
  return values ? { length: elements, values } : { length: elements }
}

async function tensor(cursor: ByteCursor): Promise<GgufTensor> {
  const name = await text(cursor, limits.keyBytes)
  const dimensions = await u32(cursor)
  if (dimensions < 1 || dimensions > limits.dimensions) throw broken(`tensor ${name} has ${dimensions} dimensions`)
  const shape: number[] = []
  for (let i = 0; i < dimensions; i++) shape.push(await count(cursor, 2 ** 40, `elements in a row of ${name}`))
  const type = await u32(cursor)
  const offset = await count(cursor, 2 ** 52, `bytes before ${name}`)
  const elements = shape.reduce((product, n) => product * n, 1)
  const block = blockLayout(type)
  if (!Number.isSafeInteger(elements)) throw broken(`tensor ${name} has ${elements} elements`)
  if (block && (shape[0] ?? 0) % block.elements !== 0)
    throw broken(`tensor ${name}: rows of ${shape[0]} elements do not fit its type`)
  return { name, shape, type, offset, bytes: block && (elements / block.elements) * block.bytes }
}
