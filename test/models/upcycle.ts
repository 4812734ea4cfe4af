/**
 * Turns a dense Qwen2.5 file into a mixture of experts that says the same words: each feed-forward block is copied into
 * several experts, two of which a random router picks with weights that add up to one, beside a shared expert that is
 * silent. Architecture `glm4moe`, whose attention is Qwen's.
 */
import { closeSync, openSync, readSync, renameSync, writeSync } from 'node:fs'
import { metaNumber, readGgufHeader } from '../../engine/index.ts'
import {
  bool,
  entryBytes,
  f32,
  fileHead,
  float,
  type MetaValue,
  padded,
  random,
  tensorInfo,
  text,
  u32,
} from './gguf.ts'

const arch = 'glm4moe'
/** Bytes of the scalar types of metadata; strings (8) and arrays (9) are measured. */
const scalarBytes: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
}

interface Piece {
  readonly name: string
  readonly shape: readonly number[]
  readonly type: number
  readonly bytes: number
  /** Where it comes from: so many copies of a stretch of the source file, new numbers, or zeros. */
  readonly from: { readonly at: number; readonly copies: number } | Float32Array | 'zeros'
}

/** Writes the mixture of experts; the file appears whole. */
export async function upcycle(source: string, target: string, { experts = 8, used = 2 } = {}): Promise<void> {
  const header = await readGgufHeader(source)
  const number = (key: string): number => {
    const value = metaNumber(header, `qwen2.${key}`)
    if (value === undefined) throw new Error(`${source} is no Qwen2.5 model: qwen2.${key} is missing`)
    return value
  }
  const [width, inner, heads] = [
    number('embedding_length'),
    number('feed_forward_length'),
    number('attention.head_count'),
  ]
  const metadata: Record<string, MetaValue> = {
    'general.architecture': text(arch),
    'rope.freq_base': float(number('rope.freq_base')),
    'attention.layer_norm_rms_epsilon': float(number('attention.layer_norm_rms_epsilon')),
    'rope.dimension_count': u32(width / heads),
    'attention.key_length': u32(width / heads),
    'attention.value_length': u32(width / heads),
    expert_count: u32(experts),
    expert_used_count: u32(used),
    expert_feed_forward_length: u32(inner),
    expert_shared_count: u32(1),
    // Sigmoid.
    expert_gating_func: u32(2),
    expert_weights_norm: bool(true),
    expert_weights_scale: float(1),
    leading_dense_block_count: u32(0),
  }
  for (const key of ['block_count', 'context_length', 'embedding_length', 'feed_forward_length'])
    metadata[key] = u32(number(key))
  for (const key of ['attention.head_count', 'attention.head_count_kv']) metadata[key] = u32(number(key))

  const draw = random(7)
  const pieces = header.tensors.flatMap(({ name, shape, type, offset, bytes = 0 }): Piece[] => {
    const whole = { shape, type, bytes, from: { at: header.dataOffset + offset, copies: 1 } }
    if (name.includes('.ffn_norm.')) return [{ ...whole, name: name.replace('ffn_norm', 'post_attention_norm') }]
    const [, block = '', part = ''] = /^(.*)\.ffn_(gate|up|down)\.weight$/.exec(name) ?? []
    if (part === '') return [{ ...whole, name }]
    const copies = { at: whole.from.at, copies: experts }
    const made: Piece[] = [
      {
        name: `${block}.ffn_${part}_exps.weight`,
        shape: [...shape, experts],
        type,
        bytes: bytes * experts,
        from: copies,
      },
      { ...whole, name: `${block}.ffn_${part}_shexp.weight`, from: part === 'down' ? 'zeros' : whole.from },
    ]
    if (part !== 'gate') return made
    const router = Float32Array.from({ length: width * experts }, () => (draw() * 2 - 1) * 0.1)
    return [
      ...made,
      {
        name: `${block}.ffn_gate_inp.weight`,
        shape: [width, experts],
        type: f32,
        bytes: router.byteLength,
        from: router,
      },
      { name: `${block}.exp_probs_b.bias`, shape: [experts], type: f32, bytes: experts * 4, from: 'zeros' },
    ]
  })

  const input = openSync(source, 'r')
  const output = openSync(`${target}.tmp`, 'w')
  try {
    const head = Buffer.alloc(header.dataOffset)
    readSync(input, head, 0, head.length, 0)
    const kept = entriesOf(head).filter(({ key }) => key !== 'general.architecture' && !key.startsWith('qwen2.'))
    const entries = Object.entries(metadata).map(([key, value]) =>
      entryBytes(key.startsWith('general.') ? key : `${arch}.${key}`, value),
    )
    let offset = 0
    const infos = pieces.map(({ name, shape, type, bytes }) => {
      const info = tensorInfo(name, shape, type, offset)
      offset += padded(bytes)
      return info
    })
    const start = Buffer.concat([
      fileHead(pieces.length, kept.length + entries.length),
      ...kept.map(({ bytes }) => bytes),
      ...entries,
      ...infos,
    ])
    writeSync(output, Buffer.concat([start, Buffer.alloc(padded(start.length) - start.length)]))
    for (const piece of pieces) writePiece(input, output, piece)
  } finally {
    closeSync(input)
    closeSync(output)
  }
  renameSync(`${target}.tmp`, target)
}

function writePiece(input: number, output: number, { from, bytes }: Piece): void {
  if (from === 'zeros') writeSync(output, Buffer.alloc(bytes))
  else if (from instanceof Float32Array) writeSync(output, Buffer.from(from.buffer))
  else {
    const stretch = Buffer.alloc(bytes / from.copies)
    readSync(input, stretch, 0, stretch.length, from.at)
    for (let copy = 0; copy < from.copies; copy++) writeSync(output, stretch)
  }
  writeSync(output, Buffer.alloc(padded(bytes) - bytes))
}

/** The metadata of a header, each entry as its bytes. */
function entriesOf(head: Buffer): { key: string; bytes: Buffer }[] {
  const long = (at: number) => Number(head.readBigUInt64LE(at))
  const count = long(16)
  let at = 24
  /** Steps over a value of a type. */
  const skip = (type: number): void => {
    if (type === 8) at += 8 + long(at)
    else if (type === 9) {
      const of = head.readUInt32LE(at)
      const length = long(at + 4)
      at += 12
      const each = scalarBytes[of]
      if (each !== undefined) at += each * length
      else for (let i = 0; i < length; i++) skip(of)
    } else at += scalarBytes[type] ?? 0
  }
  return Array.from({ length: count }, () => {
    const start = at
    const length = long(at)
    const key = head.toString('utf8', at + 8, at + 8 + length)
    at += 8 + length + 4
    skip(head.readUInt32LE(at - 4))
    return { key, bytes: head.subarray(start, at) }
  })
}
