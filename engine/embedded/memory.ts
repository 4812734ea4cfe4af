/** How much memory a model will need, from its header alone, and how much there is. */
import { totalmem } from 'node:os'
import { EngineError } from '../engine.ts'
import { type GgufHeader, metaNumber } from '../gguf/index.ts'

/** Bytes, by what they are for. */
export interface MemoryNeed {
  readonly weights: number
  /** The KV cache. */
  readonly cache: number
  /** Buffers of the computation, and the host process itself. */
  readonly compute: number
}

/** Sizes of one context: cache cells are f16; as many tokens are computed at once (engine/host/context.ts). */
const batch = process.platform === 'darwin' || process.env['CACHALOT_LLAMA_LIBS'] ? 512 : 128
const outputs = 16
const cellBytes = 2
const processBytes = 80e6

/**
 * An upper estimate, within about a fifth of what the process then uses.
 * @param weights bytes of all tensors, over all parts of a split model
 */
export function memoryNeed(header: GgufHeader, weights: number, contextTokens: number, sequences: number): MemoryNeed {
  const { number, list, layers } = reader(header)
  const width = number('embedding_length') ?? 0
  const inner = Math.max(number('feed_forward_length') ?? 0, ...list('feed_forward_length'), width)
  const vocabulary = header.tensors.find((t) => t.name === 'token_embd.weight')?.shape[1] ?? 0
  const activations = batch * (4 * inner + 8 * width) * 4
  const mask = batch * contextTokens * 6
  return {
    weights,
    cache: layers === 0 ? 0 : cacheBytes(header, contextTokens, sequences),
    compute: activations + mask + outputs * vocabulary * 4 + processBytes,
  }
}

function reader(header: GgufHeader) {
  const architecture = String(header.metadata.get('general.architecture'))
  const number = (key: string) => metaNumber(header, `${architecture}.${key}`)
  const list = (key: string): number[] => {
    const value = header.metadata.get(`${architecture}.${key}`)
    const values = typeof value === 'object' ? value.values : undefined
    return values?.filter((v): v is number => typeof v === 'number') ?? []
  }
  return { architecture, number, list, layers: number('block_count') ?? 0 }
}

function cacheBytes(header: GgufHeader, tokens: number, sequences: number): number {
  const { architecture, number, list, layers } = reader(header)
  const head =
    number('attention.key_length') ?? (number('embedding_length') ?? 0) / (number('attention.head_count') ?? 1)
  if (architecture === 'deepseek4') {
    // A window of raw cells in each layer, and compressed ones by its ratio; a stream for each sequence.
    const window = Math.ceil(((number('attention.sliding_window') ?? 128) + batch + 1) / 256) * 256
    const indexer = number('attention.indexer.key_length') ?? 0
    const ratios = list('attention.compress_ratios').slice(0, layers)
    const compressed = ratios.map((ratio) =>
      ratio === 0 ? 0 : (tokens / ratio) * (head + (ratio === 4 ? indexer : 0)),
    )
    return sequences * cellBytes * (layers * window * head + compressed.reduce((a, b) => a + b, 0))
  }
  const latent = number('attention.kv_lora_rank')
  if (latent !== undefined) return layers * tokens * (latent + (number('rope.dimension_count') ?? 0)) * cellBytes
  const values = number('attention.value_length') ?? head
  const perLayer = list('attention.head_count_kv')
  const kvHeads = number('attention.head_count_kv') ?? number('attention.head_count') ?? 1
  const heads = perLayer.length > 0 ? perLayer.reduce((a, b) => a + b, 0) : layers * kvHeads
  // Some families have full attention only in every nth layer, some a window in every other one or more.
  const interval = number('full_attention_interval') ?? (number('attention.sliding_window') ? 2 : 1)
  return (heads / Math.max(1, interval)) * tokens * (head + values) * cellBytes
}

/** Bytes that a new process may use now, limits of its container included. */
export function availableMemory(): number {
  // macOS counts caches as used there: three quarters of the machine is nearer to the truth.
  return process.platform === 'darwin' ? totalmem() * 0.75 : process.availableMemory()
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`

/** Throws EngineError `memory`, telling how much is missing and what would fit. */
export function checkMemory(need: MemoryNeed, available: number, contextTokens: number): void {
  const total = need.weights + need.cache + need.compute
  if (total <= available) return
  const perToken = (need.cache + batch * contextTokens * 6) / contextTokens
  const room = available - (total - perToken * contextTokens)
  const fits = Math.floor(room / perToken / 1024) * 1024
  const advice =
    fits >= 2048
      ? `A context of ${fits} tokens would fit: --context ${fits}`
      : 'Use a smaller model (cachalot model list), or close other programs'
  throw new EngineError(
    'memory',
    `the model does not fit: it needs about ${gigabytes(total)} (weights ${gigabytes(need.weights)}, ` +
      `context ${gigabytes(need.cache)}, working memory ${gigabytes(need.compute)}) and ${gigabytes(available)} are free. ${advice}`,
  )
}
