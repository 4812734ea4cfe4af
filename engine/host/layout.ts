/**
 * Struct layouts of llama.cpp v0.4.0 (include/llama.h, ggml/include/ggml-backend.h), declared for FFI, and the proof at
 * start that the library at hand has the same ones: sizes, and the values of its default parameters.
 */
import koffi from 'koffi'

/** A native address. */
export type Pointer = bigint

export interface ModelParams {
  readonly devices: Pointer | null
  readonly tensor_buft_overrides: Pointer | null
  readonly n_gpu_layers: number
  readonly split_mode: number
  readonly load_mode: number
  readonly lazy_mode: number
  readonly main_gpu: number
  readonly tensor_split: Pointer | null
  readonly progress_callback: Pointer | null
  readonly progress_ud: Pointer | null
  readonly kv_overrides: Pointer | null
  readonly vocab_only: boolean
  readonly check_tensors: boolean
  readonly use_extra_bufts: boolean
  readonly no_host: boolean
  readonly no_alloc: boolean
  readonly load_mtp: boolean
}

koffi.struct('model_params', {
  devices: 'void *',
  tensor_buft_overrides: 'void *',
  n_gpu_layers: 'int32_t',
  split_mode: 'int',
  load_mode: 'int',
  lazy_mode: 'int',
  main_gpu: 'int32_t',
  tensor_split: 'void *',
  progress_callback: 'void *',
  progress_ud: 'void *',
  kv_overrides: 'void *',
  vocab_only: 'bool',
  check_tensors: 'bool',
  use_extra_bufts: 'bool',
  no_host: 'bool',
  no_alloc: 'bool',
  load_mtp: 'bool',
})

export interface ContextParams {
  readonly n_ctx: number
  readonly n_batch: number
  readonly n_ubatch: number
  readonly n_seq_max: number
  readonly n_rs_seq: number
  readonly n_outputs_max: number
  readonly n_outputs_max_per_seq: number
  readonly n_threads: number
  readonly n_threads_batch: number
  readonly type_k: number
  readonly type_v: number
  readonly swa_full: boolean
  readonly kv_unified: boolean
  readonly [other: string]: unknown
}

koffi.struct('context_params', {
  n_ctx: 'uint32_t',
  n_batch: 'uint32_t',
  n_ubatch: 'uint32_t',
  n_seq_max: 'uint32_t',
  n_rs_seq: 'uint32_t',
  n_outputs_max: 'uint32_t',
  n_outputs_max_per_seq: 'uint32_t',
  n_threads: 'int32_t',
  n_threads_batch: 'int32_t',
  ctx_type: 'int',
  rope_scaling_type: 'int',
  pooling_type: 'int',
  attention_type: 'int',
  flash_attn_type: 'int',
  rope_freq_base: 'float',
  rope_freq_scale: 'float',
  yarn_ext_factor: 'float',
  yarn_attn_factor: 'float',
  yarn_beta_fast: 'float',
  yarn_beta_slow: 'float',
  yarn_orig_ctx: 'uint32_t',
  defrag_thold: 'float',
  cb_eval: 'void *',
  cb_eval_ud: 'void *',
  type_k: 'int',
  type_v: 'int',
  abort_callback: 'void *',
  abort_callback_data: 'void *',
  embeddings: 'bool',
  offload_kqv: 'bool',
  no_perf: 'bool',
  op_offload: 'bool',
  swa_full: 'bool',
  kv_unified: 'bool',
  samplers: 'void *',
  n_samplers: 'size_t',
  ctx_other: 'void *',
})

export interface BatchStruct {
  readonly n_tokens: number
  readonly token: Pointer
  readonly embd: null
  readonly pos: Pointer
  readonly n_seq_id: Pointer
  readonly seq_id: Pointer
  readonly logits: Pointer
}

koffi.struct('batch', {
  n_tokens: 'int32_t',
  token: 'void *',
  embd: 'void *',
  pos: 'void *',
  n_seq_id: 'void *',
  seq_id: 'void *',
  logits: 'void *',
})

export interface ThreadpoolParams {
  readonly n_threads: number
  readonly prio: number
  readonly poll: number
  readonly strict_cpu: boolean
  readonly paused: boolean
}

koffi.struct('threadpool_params', {
  cpumask: koffi.array('bool', 512),
  n_threads: 'int',
  prio: 'int',
  poll: 'uint32_t',
  strict_cpu: 'bool',
  paused: 'bool',
})

koffi.struct('sampler_chain_params', { no_perf: 'bool' })

/** Where tensors whose names match go, whatever else says; a list ends with a null pattern. */
koffi.struct('tensor_override', { pattern: 'const char *', buffer_type: 'void *' })

/** `bool (*)(float progress, void *data)`: returning false ends the load. */
export const progressCallback = koffi.proto('bool progress_callback(float progress, void *data)')
export const threadpoolNew = koffi.proto('void *threadpool_new(threadpool_params *params)')
export const threadpoolFree = koffi.proto('void threadpool_free(void *pool)')

const sizes = {
  model_params: 80,
  context_params: 160,
  batch: 56,
  threadpool_params: 528,
  sampler_chain_params: 1,
  tensor_override: 16,
}

const modelDefaults = {
  n_gpu_layers: -1,
  split_mode: 1,
  load_mode: -1,
  lazy_mode: 1,
  main_gpu: 0,
  tensor_split: null,
  progress_callback: null,
  vocab_only: false,
  check_tensors: false,
  use_extra_bufts: true,
  no_host: false,
  no_alloc: false,
  load_mtp: false,
}

const contextDefaults = {
  n_ctx: 512,
  n_batch: 2048,
  n_ubatch: 512,
  n_seq_max: 1,
  n_rs_seq: 0,
  n_outputs_max: 0,
  n_outputs_max_per_seq: 1,
  n_threads: 4,
  n_threads_batch: 4,
  ctx_type: 0,
  rope_scaling_type: -1,
  pooling_type: -1,
  attention_type: -1,
  flash_attn_type: -1,
  yarn_ext_factor: -1,
  yarn_orig_ctx: 0,
  defrag_thold: -1,
  type_k: 1,
  type_v: 1,
  embeddings: false,
  offload_kqv: true,
  no_perf: true,
  op_offload: true,
  swa_full: true,
  kv_unified: false,
  ctx_other: null,
}

/**
 * What differs between the library's defaults and those of the version these layouts are for. A shifted field shows as
 * a wrong value. Empty when all is as it should be.
 */
export function layoutDifferences(
  model: object,
  context: object,
  pool: ThreadpoolParams,
  poolThreads: number,
): string[] {
  const differences: string[] = []
  for (const [name, size] of Object.entries(sizes))
    if (koffi.sizeof(name) !== size) differences.push(`sizeof(${name}) = ${koffi.sizeof(name)}, expected ${size}`)
  const compare = (what: string, found: object, expected: object) => {
    const values = new Map<string, unknown>(Object.entries(found))
    for (const [key, value] of Object.entries(expected))
      if (values.get(key) !== value) differences.push(`${what}.${key} = ${String(values.get(key))}, expected ${value}`)
  }
  compare('model', model, modelDefaults)
  compare('context', context, contextDefaults)
  compare('threadpool', pool, { n_threads: poolThreads, prio: 0, poll: 50, strict_cpu: false, paused: false })
  return differences
}
