/** How much memory a model will need, from its header alone, and how much there is. */
import { totalmem } from 'node:os'
import { EngineError, type KvType } from '../engine.ts'
import { type GgufHeader, metaNumber } from '../gguf/index.ts'
import { defaultCheckpointBytes } from '../host/protocol.ts'

/** Bytes, by what they are for. */
export interface MemoryParts {
  readonly weights: number
  /** The KV cache, allocated at once. */
  readonly cache: number
  /** Buffers of the computation (as large as at the end of the context), the vocabulary, and the host process itself. */
  readonly compute: number
  /** What checkpoints can come to in a long conversation, for models that need them. */
  readonly checkpoints: number
  /** Sum of the others. */
  readonly total: number
}

export interface MemoryOptions {
  /** Bytes of all tensors, over all parts of a split model; those of the header where not given. */
  readonly weights?: number
  readonly contextTokens: number
  readonly sequences?: number
  readonly kvType?: KvType
  readonly checkpointBytes?: number
  /** See usualRollback. */
  readonly rollbackTokens?: number
  /** Tokens computed at once (engine/host/context.ts). */
  readonly batch?: number
}

/** Whether a GPU computes, told by how its libraries came. Fetched ones are named there only when a model is about to be opened. */
export const onGpu = (): boolean => process.platform === 'darwin' || (process.env['CACHALOT_LLAMA_LIBS'] ?? '') !== ''
/** engine/host/context.ts: smaller on a CPU. */
const usualBatch = (): number => (onGpu() ? 512 : 128)
const outputs = 16
const mebibyte = 1024 * 1024
/** Node, the libraries, and llama.cpp's own tables (measured: 107 MiB before weights, cache and vocabulary). */
const processBytes = 107 * mebibyte
/** A vocabulary of 151,936 tokens takes 50 MiB of tables, in the library and in ours (measured). */
const tokenBytes = 330
/** Bytes of a value: q8_0 has blocks of 32 with a scale. */
const valueBytes: Record<KvType, number> = { f16: 2, q8_0: 34 / 32 }
/** The library rounds contexts up to these many cells. */
const cells = (tokens: number, step = 256): number => Math.ceil(tokens / step) * step

/**
 * What the host process comes to use, within 5 % where it was measured (dense, and V4's cache geometry, on a CPU). Repacked
 * weights are counted once: the file's pages that they were made from can be dropped by the system.
 */
export function memoryNeed(header: GgufHeader, options: MemoryOptions): MemoryParts {
  const {
    weights = header.tensorBytes,
    sequences = 1,
    kvType = 'f16',
    batch = usualBatch(),
    rollbackTokens = 0,
  } = options
  const reader = readHeader(header)
  const tokens = cells(options.contextTokens)
  const vocabulary = header.tensors.find((t) => t.name === 'token_embd.weight')?.shape[1] ?? 0
  const compressed = reader.architecture === 'deepseek4'
  const cache = compressed ? compressedCache(reader, tokens, kvType, batch) : usualCache(reader, tokens, kvType, batch)
  const buffers = compressed ? compressedBuffers(reader, tokens, kvType, batch) : usualBuffers(reader, tokens, batch)
  // The place that a reply goes back to (engine/host/anchored-rows.ts).
  const anchor = rollbackTokens > 0 ? cache.perSequence : 0
  const compute = Math.max(buffers, outputs * vocabulary * 4) + vocabulary * tokenBytes + processBytes + anchor
  // A window or a state for each checkpoint; engine/host/checkpoints.ts takes one every 1024 tokens at most.
  const checkpoint = cache.perSequence
  const most = options.checkpointBytes ?? defaultCheckpointBytes
  const checkpoints = Math.min(most, (checkpoint * sequences * tokens) / 1024)
  // A cache that is not shared is made for each sequence.
  const whole = compressed
    ? sequences * (cache.shared + cache.perSequence + rollbackTokens * cache.compressors)
    : cache.shared + sequences * cache.perSequence
  return {
    weights,
    cache: whole,
    compute,
    checkpoints,
    total: weights + whole + compute + checkpoints,
  }
}

type Reader = ReturnType<typeof readHeader>

function readHeader(header: GgufHeader) {
  const architecture = String(header.metadata.get('general.architecture'))
  const number = (key: string) => metaNumber(header, `${architecture}.${key}`)
  const list = (key: string): number[] => {
    const value = header.metadata.get(`${architecture}.${key}`)
    const values = typeof value === 'object' ? value.values : undefined
    return values?.filter((v): v is number => typeof v === 'number') ?? []
  }
  const width = number('embedding_length') ?? 0
  const heads = number('attention.head_count') ?? 1
  return {
    ...{ architecture, number, list, width, heads },
    layers: number('block_count') ?? 0,
    head: number('attention.key_length') ?? width / heads,
  }
}

interface CacheBytes {
  /** For the context. */
  readonly shared: number
  /** What each sequence has for itself: a window, a compressor's or a recurrent state. Zero where a cut is free. */
  readonly perSequence: number
  /** Of that, DeepSeek V4's compressors: kept once more for each token that can be taken back. */
  readonly compressors: number
}

/** DeepSeek V4 (llama-kv-cache-dsv4.cpp): a window of raw cells in each layer, compressed ones by its ratio, and states. */
function compressedCache(
  { number, list, layers, head }: Reader,
  tokens: number,
  kvType: KvType,
  batch: number,
): CacheBytes {
  const value = valueBytes[kvType]
  const indexer = number('attention.indexer.key_length') ?? 0
  const window = Math.min(tokens, cells((number('attention.sliding_window') ?? 128) + batch))
  let shared = 0
  let compressors = 0
  for (const ratio of list('attention.compress_ratios').slice(0, layers)) {
    if (ratio === 0) continue
    shared += cells(Math.ceil(tokens / ratio)) * (head + (ratio === 4 ? indexer : 0)) * value
    // Two f32 tensors (keys and scores) of `ratio` rows; where blocks overlap twice the rows and the width.
    compressors += 2 * 4 * (ratio === 4 ? 8 * 2 * (head + indexer) : ratio * head)
  }
  return { shared, compressors, perSequence: layers * window * head * value + compressors }
}

function usualCache(
  { number, list, layers, head, heads }: Reader,
  tokens: number,
  kvType: KvType,
  batch: number,
): CacheBytes {
  const value = valueBytes[kvType]
  const latent = number('attention.kv_lora_rank')
  if (latent !== undefined) {
    const rope = number('rope.dimension_count') ?? 0
    return { shared: layers * tokens * (latent + rope) * value, perSequence: 0, compressors: 0 }
  }
  const perLayer = list('attention.head_count_kv')
  const kvHeads = number('attention.head_count_kv') ?? heads
  const all = perLayer.length > 0 ? perLayer.reduce((a, b) => a + b, 0) : layers * kvHeads
  const cell = (head + (number('attention.value_length') ?? head)) * value
  // Some families have full attention only in every nth layer, and a state of fixed size in the others.
  const interval = number('full_attention_interval')
  if (interval !== undefined) {
    const state =
      (number('ssm.inner_size') ?? 0) * ((number('ssm.state_size') ?? 0) + (number('ssm.conv_kernel') ?? 0)) * 4
    return {
      shared: (all / interval) * tokens * cell,
      perSequence: layers * (1 - 1 / interval) * state,
      compressors: 0,
    }
  }
  // Others see only a window in every other layer or more.
  const window = number('attention.sliding_window')
  if (window === undefined || window === 0) return { shared: all * tokens * cell, perSequence: 0, compressors: 0 }
  const windowed = Math.min(tokens, cells(window + batch))
  const full = number('attention.sliding_window_pattern') ?? 2
  return { shared: (all / full) * tokens * cell, perSequence: all * (1 - 1 / full) * windowed * cell, compressors: 0 }
}

/** Activations of a batch, and the mask of its attention (f16). Fits measurements of dense models (0.5B, 1.5B) to 5 %. */
function usualBuffers({ number, list, width }: Reader, tokens: number, batch: number): number {
  const experts = (number('expert_used_count') ?? 0) * (number('expert_feed_forward_length') ?? 0)
  const inner = experts > 0 ? experts : Math.max(number('feed_forward_length') ?? 0, ...list('feed_forward_length'))
  return batch * 4 * 3 * (inner + width) + 2 * batch * tokens
}

/**
 * Measured with V4-Flash's cache geometry at 64k, 128k and 256k, 8 and 64 heads, two widths: the keys of a layer put
 * together (a quarter of the context), and either scores and masks of the indexer or the heads' queries on top of it.
 */
function compressedBuffers({ width, heads, head }: Reader, tokens: number, kvType: KvType, batch: number): number {
  const keys = (tokens / 4) * head * valueBytes[kvType]
  const indexer = 2.52 * batch * tokens
  const queries = 3.3 * batch * heads * head * 4
  return keys + Math.max(indexer, queries) + batch * width * 32 + 8 * mebibyte
}

/** Bytes that a new process may use now, limits of its container included. */
export function availableMemory(): number {
  // macOS counts caches as used there: three quarters of the machine is nearer to the truth.
  return process.platform === 'darwin' ? totalmem() * 0.75 : process.availableMemory()
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`

/** Throws EngineError `memory`, telling how much is missing and what would fit. */
export function checkMemory(
  need: (contextTokens: number) => MemoryParts,
  available: number,
  contextTokens: number,
): void {
  const { total, weights, cache, compute, checkpoints } = need(contextTokens)
  if (total <= available) return
  const fits = largestContext(need, available, contextTokens)
  const advice =
    fits >= 2048
      ? `A context of ${fits} tokens would fit: --context ${fits}`
      : 'Use a smaller model (cachalot model list), or close other programs'
  throw new EngineError(
    'memory',
    `the model does not fit: it needs about ${gigabytes(total)} (weights ${gigabytes(weights)}, ` +
      `context ${gigabytes(cache + checkpoints)}, working memory ${gigabytes(compute)}) and ${gigabytes(available)} are free. ${advice}`,
  )
}

/** The longest context (a multiple of 1024 tokens) up to `most` that fits; 0 where none does. */
export function largestContext(need: (contextTokens: number) => MemoryParts, available: number, most: number): number {
  let [low, high] = [0, Math.floor(most / 1024)]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (need(middle * 1024).total <= available) low = middle
    else high = middle - 1
  }
  return low * 1024
}
