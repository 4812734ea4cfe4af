/** Writes small GGUF v3 files for tests: metadata, tensors filled with reproducible random numbers, nothing else. */
import { closeSync, openSync, renameSync, writeSync } from 'node:fs'

export const f32 = 0
export const f16 = 1
export const i32 = 26
export type TensorType = typeof f32 | typeof f16 | typeof i32
const elementBytes: Record<TensorType, number> = { [f32]: 4, [f16]: 2, [i32]: 4 }

export type MetaValue =
  | { readonly type: 'u32' | 'i32' | 'f32'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'array'; readonly of: 'u32' | 'i32' | 'f32'; readonly value: readonly number[] }
  | { readonly type: 'array'; readonly of: 'string'; readonly value: readonly string[] }

export const u32 = (value: number): MetaValue => ({ type: 'u32', value })
export const float = (value: number): MetaValue => ({ type: 'f32', value })
export const bool = (value: boolean): MetaValue => ({ type: 'bool', value })
export const text = (value: string): MetaValue => ({ type: 'string', value })

export interface Tensor {
  readonly name: string
  readonly type: TensorType
  /** Elements in each dimension, fastest first. */
  readonly shape: readonly number[]
  /** Gives element i. Called once for each element, in order. */
  fill(i: number): number
}

/** Reproducible uniform numbers in 0..1 (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const typeCode = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 } as const

const bytesOf = (size: number, put: (b: Buffer) => void): Buffer => {
  const buffer = Buffer.alloc(size)
  put(buffer)
  return buffer
}
const word = (n: number) => bytesOf(4, (b) => b.writeUInt32LE(n >>> 0))
const long = (n: number) => bytesOf(8, (b) => b.writeBigUInt64LE(BigInt(n)))
const string = (s: string) => {
  const b = Buffer.from(s, 'utf8')
  return Buffer.concat([long(b.length), b])
}
const real = (n: number) => bytesOf(4, (b) => b.writeFloatLE(n))

function valueBytes(meta: MetaValue): Buffer {
  switch (meta.type) {
    case 'u32':
    case 'i32':
      return word(meta.value)
    case 'f32':
      return real(meta.value)
    case 'bool':
      return Buffer.from([meta.value ? 1 : 0])
    case 'string':
      return string(meta.value)
    case 'array': {
      const items = meta.of === 'string' ? meta.value.map(string) : meta.value.map(meta.of === 'f32' ? real : word)
      return Buffer.concat([word(typeCode[meta.of]), long(meta.value.length), ...items])
    }
  }
}

/** One key and its value as they stand in a header. */
export const entryBytes = (key: string, meta: MetaValue): Buffer =>
  Buffer.concat([string(key), word(typeCode[meta.type]), valueBytes(meta)])

/** Name, shape, type and place of a tensor as they stand in a header. `type`: `ggml_type`. */
export const tensorInfo = (name: string, shape: readonly number[], type: number, offset: number): Buffer =>
  Buffer.concat([string(name), word(shape.length), ...shape.map(long), word(type), long(offset)])

/** What a file begins with. */
export const fileHead = (tensors: number, entries: number): Buffer =>
  Buffer.concat([Buffer.from('GGUF'), word(3), long(tensors), long(entries)])

const alignment = 32
export const padded = (n: number) => Math.ceil(n / alignment) * alignment

/** Writes the file whole or not at all (temporary name, then rename), so that parallel tests may make the same one. */
export function writeGguf(
  file: string,
  metadata: Readonly<Record<string, MetaValue>>,
  tensors: readonly Tensor[],
): void {
  const head: Buffer[] = [fileHead(tensors.length, Object.keys(metadata).length)]
  for (const [key, meta] of Object.entries(metadata)) head.push(entryBytes(key, meta))
  let offset = 0
  for (const t of tensors) {
    head.push(tensorInfo(t.name, t.shape, t.type, offset))
    offset += padded(size(t))
  }
  const header = Buffer.concat(head)
  const temporary = `${file}.${process.pid}.tmp`
  const fd = openSync(temporary, 'w')
  try {
    writeSync(fd, Buffer.concat([header, Buffer.alloc(padded(header.length) - header.length)]))
    for (const t of tensors) writeSync(fd, tensorBytes(t))
  } finally {
    closeSync(fd)
  }
  renameSync(temporary, file)
}

const size = (t: Tensor) => t.shape.reduce((n, d) => n * d, 1) * elementBytes[t.type]

function tensorBytes(t: Tensor): Buffer {
  const n = t.shape.reduce((product, d) => product * d, 1)
  const bytes = new ArrayBuffer(padded(size(t)))
  const view =
    t.type === f32 ? new Float32Array(bytes) : t.type === f16 ? new Uint16Array(bytes) : new Int32Array(bytes)
  for (let i = 0; i < n; i++) view[i] = t.type === f16 ? half(t.fill(i)) : t.fill(i)
  return Buffer.from(bytes)
}

const single = new Float32Array(1)
const bits = new Uint32Array(single.buffer)
/** IEEE half precision, cut and not rounded; small numbers become 0. */
function half(x: number): number {
  single[0] = x
  const b = bits[0] ?? 0
  const sign = (b >>> 16) & 0x8000
  const exponent = ((b >>> 23) & 255) - 112
  if (exponent <= 0) return sign
  if (exponent >= 31) return sign | 0x7c00
  return sign | (exponent << 10) | ((b >>> 13) & 0x3ff)
}
