/** The smallest models of two real architectures that llama.cpp loads: every tensor and key it asks for, random weights. */
import { bool, f16, f32, float, i32, type MetaValue, random, type Tensor, type TensorType, text, u32 } from './gguf.ts'
import { type Vocabulary, vocabularyMetadata } from './vocabulary.ts'

export interface Architecture {
  readonly metadata: Record<string, MetaValue>
  readonly tensors: readonly Tensor[]
  /** Width of the embedding. */
  readonly width: number
}

/** Collects tensors; each gets its own reproducible numbers, spread like 1/√(row length) unless told otherwise. */
function collector() {
  const tensors: Tensor[] = []
  const add = (name: string, type: TensorType, shape: readonly number[], spread = 1 / Math.sqrt(shape[0] ?? 1)) => {
    const draw = random(0x9e3779b9 ^ Math.imul(tensors.length + 1, 0x85ebca6b))
    // √3 · (2u − 1) has variance 1.
    tensors.push({ name, type, shape, fill: () => (draw() * 2 - 1) * 1.732 * spread })
  }
  const ones = (name: string, shape: readonly number[]) => tensors.push({ name, type: f32, shape, fill: () => 1 })
  return { tensors, add, ones }
}

/** Qwen's mixture of experts, 4 layers, 8 experts of which 2 are used: about 9 MB. */
export function tinyMoe(vocabulary: Vocabulary): Architecture {
  const arch = 'qwen3moe'
  const [width, layers, heads, kvHeads, head, experts, used, inner] = [256, 4, 8, 2, 64, 8, 2, 128]
  const size = vocabulary.tokens.length
  const metadata: Record<string, MetaValue> = {
    'general.architecture': text(arch),
    'general.name': text('tiny random qwen3moe'),
    'general.file_type': u32(1),
    [`${arch}.vocab_size`]: u32(size),
    [`${arch}.context_length`]: u32(32768),
    [`${arch}.embedding_length`]: u32(width),
    [`${arch}.block_count`]: u32(layers),
    [`${arch}.feed_forward_length`]: u32(512),
    [`${arch}.attention.head_count`]: u32(heads),
    [`${arch}.attention.head_count_kv`]: u32(kvHeads),
    [`${arch}.attention.key_length`]: u32(head),
    [`${arch}.attention.value_length`]: u32(head),
    [`${arch}.attention.layer_norm_rms_epsilon`]: float(1e-6),
    [`${arch}.rope.freq_base`]: float(1e6),
    [`${arch}.expert_count`]: u32(experts),
    [`${arch}.expert_used_count`]: u32(used),
    [`${arch}.expert_feed_forward_length`]: u32(inner),
    ...vocabularyMetadata(vocabulary),
  }
  const { tensors, add, ones } = collector()
  add('token_embd.weight', f16, [width, size], 1)
  ones('output_norm.weight', [width])
  add('output.weight', f16, [width, size], 3 / Math.sqrt(width))
  for (let i = 0; i < layers; i++) {
    const b = `blk.${i}.`
    ones(`${b}attn_norm.weight`, [width])
    add(`${b}attn_q.weight`, f16, [width, heads * head])
    add(`${b}attn_k.weight`, f16, [width, kvHeads * head])
    add(`${b}attn_v.weight`, f16, [width, kvHeads * head])
    add(`${b}attn_output.weight`, f16, [heads * head, width])
    ones(`${b}attn_q_norm.weight`, [head])
    ones(`${b}attn_k_norm.weight`, [head])
    ones(`${b}ffn_norm.weight`, [width])
    add(`${b}ffn_gate_inp.weight`, f32, [width, experts])
    add(`${b}ffn_gate_exps.weight`, f16, [width, inner, experts])
    add(`${b}ffn_up_exps.weight`, f16, [width, inner, experts])
    add(`${b}ffn_down_exps.weight`, f16, [inner, width, experts])
  }
  return { metadata, tensors, width }
}

/** What of DeepSeek V4's geometry makes the size of its cache. */
export interface CacheGeometry {
  /** Compression of each layer: 0 (none), 4 or 128. */
  readonly ratios: readonly number[]
  readonly head: number
  readonly indexHead: number
  readonly hashLayers: number
}

/** Few and small layers: about 17 MB. */
export const tinyGeometry: CacheGeometry = { ratios: [0, 0, 4, 128, 4, 128], head: 128, indexHead: 64, hashLayers: 1 }

/** That of V4-Flash: 43 layers, heads of 512. With a narrow embedding still only about 217 MB. */
export const flashGeometry: CacheGeometry = {
  ratios: Array.from({ length: 43 }, (_, i) => (i < 2 ? 0 : i % 2 === 0 ? 4 : 128)),
  head: 512,
  indexHead: 128,
  hashLayers: 3,
}

/** DeepSeek V4: compressed attention, indexer, hyper-connections, hash-routed layers. */
export function deepseek4(vocabulary: Vocabulary, geometry: CacheGeometry): Architecture {
  const arch = 'deepseek4'
  const { ratios, head, indexHead, hashLayers } = geometry
  const [width, heads, queryRank, groups, outputRank] = [256, 8, 128, 2, 64]
  const [indexHeads, experts, used, inner] = [4, 8, 2, 128]
  const streams = 4
  const mixes = (2 + streams) * streams
  const size = vocabulary.tokens.length
  const metadata: Record<string, MetaValue> = {
    'general.architecture': text(arch),
    'general.name': text('tiny random deepseek4'),
    'general.file_type': u32(1),
    [`${arch}.vocab_size`]: u32(size),
    [`${arch}.context_length`]: u32(1_048_576),
    [`${arch}.embedding_length`]: u32(width),
    [`${arch}.block_count`]: u32(ratios.length),
    [`${arch}.attention.head_count`]: u32(heads),
    [`${arch}.attention.head_count_kv`]: u32(1),
    [`${arch}.attention.key_length`]: u32(head),
    [`${arch}.attention.value_length`]: u32(head),
    [`${arch}.attention.layer_norm_rms_epsilon`]: float(1e-6),
    [`${arch}.attention.q_lora_rank`]: u32(queryRank),
    [`${arch}.attention.sliding_window`]: u32(128),
    [`${arch}.attention.indexer.head_count`]: u32(indexHeads),
    [`${arch}.attention.indexer.key_length`]: u32(indexHead),
    [`${arch}.attention.indexer.top_k`]: u32(512),
    [`${arch}.attention.output_group_count`]: u32(groups),
    [`${arch}.attention.output_lora_rank`]: u32(outputRank),
    [`${arch}.attention.compress_ratios`]: { type: 'array', of: 'u32', value: ratios },
    [`${arch}.attention.compress_rope_freq_base`]: float(160000),
    [`${arch}.rope.dimension_count`]: u32(64),
    [`${arch}.rope.freq_base`]: float(10000),
    [`${arch}.rope.scaling.type`]: text('yarn'),
    [`${arch}.rope.scaling.factor`]: float(16),
    [`${arch}.rope.scaling.original_context_length`]: u32(65536),
    [`${arch}.rope.scaling.yarn_beta_fast`]: float(32),
    [`${arch}.rope.scaling.yarn_beta_slow`]: float(1),
    [`${arch}.expert_count`]: u32(experts),
    [`${arch}.expert_used_count`]: u32(used),
    [`${arch}.expert_feed_forward_length`]: u32(inner),
    [`${arch}.expert_shared_count`]: u32(1),
    [`${arch}.expert_weights_scale`]: float(1.5),
    [`${arch}.expert_weights_norm`]: bool(true),
    [`${arch}.expert_gating_func`]: u32(4),
    [`${arch}.swiglu_clamp_exp`]: { type: 'array', of: 'f32', value: ratios.map(() => 10) },
    [`${arch}.swiglu_clamp_shexp`]: { type: 'array', of: 'f32', value: ratios.map(() => 10) },
    [`${arch}.hyper_connection.count`]: u32(streams),
    [`${arch}.hyper_connection.sinkhorn_iterations`]: u32(20),
    [`${arch}.hyper_connection.epsilon`]: float(1e-6),
    [`${arch}.hash_layer_count`]: u32(hashLayers),
    ...vocabularyMetadata(vocabulary),
  }
  const { tensors, add, ones } = collector()
  add('token_embd.weight', f16, [width, size], 1)
  ones('output_norm.weight', [width])
  add('output.weight', f16, [width, size], 3 / Math.sqrt(width))
  add('output_hc_fn.weight', f32, [streams * width, streams])
  add('output_hc_base.weight', f32, [streams], 0.1)
  ones('output_hc_scale.weight', [1])
  ratios.forEach((ratio, i) => {
    const b = `blk.${i}.`
    ones(`${b}attn_norm.weight`, [width])
    add(`${b}attn_sinks.weight`, f32, [heads], 0.5)
    add(`${b}attn_q_a.weight`, f16, [width, queryRank])
    ones(`${b}attn_q_a_norm.weight`, [queryRank])
    add(`${b}attn_q_b.weight`, f16, [queryRank, heads * head])
    add(`${b}attn_kv.weight`, f16, [width, head])
    ones(`${b}attn_kv_a_norm.weight`, [head])
    add(`${b}attn_output_a.weight`, f16, [(heads * head) / groups, outputRank * groups])
    add(`${b}attn_output_b.weight`, f16, [groups * outputRank, width])
    for (const part of ['attn', 'ffn']) {
      add(`${b}hc_${part}_fn.weight`, f32, [streams * width, mixes])
      add(`${b}hc_${part}_base.weight`, f32, [mixes], 0.1)
      ones(`${b}hc_${part}_scale.weight`, [3])
    }
    if (ratio > 0) compressor(b, ratio)
    add(`${b}ffn_gate_inp.weight`, f32, [width, experts])
    if (i < hashLayers) {
      // Two different experts for every token of the vocabulary.
      const draw = random(99)
      let last = -1
      const fill = (at: number) => {
        const expert = Math.floor(draw() * experts)
        last = at % used === 0 || expert !== last ? expert : (expert + 1) % experts
        return last
      }
      tensors.push({ name: `${b}ffn_gate_tid2eid.weight`, type: i32, shape: [used, size], fill })
    } else add(`${b}exp_probs_b.bias`, f32, [experts], 0.05)
    ones(`${b}ffn_norm.weight`, [width])
    add(`${b}ffn_gate_exps.weight`, f16, [width, inner, experts])
    add(`${b}ffn_down_exps.weight`, f16, [inner, width, experts])
    add(`${b}ffn_up_exps.weight`, f16, [width, inner, experts])
    add(`${b}ffn_gate_shexp.weight`, f16, [width, inner])
    add(`${b}ffn_down_shexp.weight`, f16, [inner, width])
    add(`${b}ffn_up_shexp.weight`, f16, [width, inner])
  })
  return { metadata, tensors, width }

  function compressor(b: string, ratio: number) {
    const parts = ratio === 4 ? 2 : 1
    add(`${b}attn_compressor_kv.weight`, f16, [width, parts * head])
    add(`${b}attn_compressor_gate.weight`, f16, [width, parts * head])
    add(`${b}attn_compressor_ape.weight`, f32, [parts * head, ratio], 0.3)
    ones(`${b}attn_compressor_norm.weight`, [head])
    if (ratio !== 4) return
    add(`${b}indexer.proj.weight`, f16, [width, indexHeads])
    add(`${b}indexer.attn_q_b.weight`, f16, [queryRank, indexHeads * indexHead])
    add(`${b}indexer_compressor_kv.weight`, f16, [width, 2 * indexHead])
    add(`${b}indexer_compressor_gate.weight`, f16, [width, 2 * indexHead])
    add(`${b}indexer_compressor_ape.weight`, f32, [2 * indexHead, ratio], 0.3)
    ones(`${b}indexer_compressor_norm.weight`, [indexHead])
  }
}
