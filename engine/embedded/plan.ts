/** What a model would need on this machine and how fast it would be: told from its header, before anything is loaded. */
import type { Machine } from '../catalog/machine.ts'
import type { KvType } from '../engine.ts'
import { type GgufHeader, metaNumber, metaString, readGgufHeader } from '../gguf/index.ts'
import { largestContext, type MemoryParts, memoryNeed } from './memory.ts'
import { usualSequences, weightsOfParts } from './preflight.ts'
import { usualRollback } from './rollback.ts'

/** Context lengths that are told where the caller names none, in tokens. */
export const contextLadder: readonly number[] = [32_768, 131_072, 262_144, 1_048_576]

/** Left for the system and for the commands that the agent runs. */
const reserveBytes = 512 * 1024 * 1024

export interface PlanRow {
  readonly contextTokens: number
  readonly kvType: KvType
  /** Bytes. */
  readonly need: MemoryParts
  /** `yes`: now. `tight`: the machine is large enough, but other programs hold too much of it. `no`: never. */
  readonly verdict: 'yes' | 'tight' | 'no'
}

export interface ModelPlan {
  readonly architecture: string
  /** The longest context it was trained for. */
  readonly trainedTokens: number | undefined
  readonly weightsBytes: number
  /** Bytes of weights that one token reads: of a mixture of experts only a part of all. */
  readonly activeBytes: number
  /** Bytes of the routed experts: what `cpuExperts` keeps out of a GPU's memory. */
  readonly expertBytes: number
  /** One row for each context that the model was trained for and each kind of cache. */
  readonly rows: readonly PlanRow[]
  /** The longest context that fits now, with each kind of cache. */
  readonly longest: Readonly<Record<KvType, number>>
  /** An upper bound at short context, where the bandwidth is known: every token reads all active weights once. */
  readonly tokensPerSecond: number | undefined
}

export interface PlanOptions {
  readonly contexts?: readonly number[]
  readonly sequences?: number
  /** Bytes a second that the machine reads from memory; see `measureBandwidth`. */
  readonly bandwidth?: number
}

/**
 * Plans a model from its file (all parts of a split one) or its header.
 * @throws EngineError for a file that is no model
 */
export async function planFor(
  model: string | GgufHeader,
  machine: Machine,
  options: PlanOptions = {},
): Promise<ModelPlan> {
  const header = typeof model === 'string' ? await readGgufHeader(model) : model
  const architecture = metaString(header, 'general.architecture') ?? 'unknown'
  const weights = typeof model === 'string' ? await weightsOfParts(model, header) : header.tensorBytes
  const trainedTokens = metaNumber(header, `${architecture}.context_length`)
  const sequences = options.sequences ?? usualSequences(architecture)
  const needed = (kvType: KvType) => (contextTokens: number) =>
    memoryNeed(header, { weights, contextTokens, kvType, sequences, rollbackTokens: usualRollback(architecture) })
  const room = machine.availableBytes - reserveBytes
  const most = trainedTokens ?? Math.max(...contextLadder)
  const ladder = [...new Set((options.contexts ?? contextLadder).map((tokens) => Math.min(tokens, most)))]
  const rows = (['f16', 'q8_0'] as const).flatMap((kvType) =>
    ladder.map((contextTokens): PlanRow => {
      const need = needed(kvType)(contextTokens)
      const verdict = need.total <= room ? 'yes' : need.total <= machine.totalBytes ? 'tight' : 'no'
      return { contextTokens, kvType, need, verdict }
    }),
  )
  const { active, experts } = activeShare(header, architecture)
  const activeBytes = header.tensorBytes === 0 ? 0 : (active / header.tensorBytes) * weights
  return {
    ...{ architecture, trainedTokens, weightsBytes: weights, activeBytes, rows },
    expertBytes: header.tensorBytes === 0 ? 0 : (experts / header.tensorBytes) * weights,
    longest: { f16: largestContext(needed('f16'), room, most), q8_0: largestContext(needed('q8_0'), room, most) },
    tokensPerSecond: options.bandwidth === undefined || activeBytes === 0 ? undefined : options.bandwidth / activeBytes,
  }
}

/** Bytes that one token reads, and those of all routed experts; of the first file of a split model. */
function activeShare(header: GgufHeader, architecture: string): { active: number; experts: number } {
  const used = metaNumber(header, `${architecture}.expert_used_count`) ?? 0
  const count = metaNumber(header, `${architecture}.expert_count`) ?? 0
  // Without an output matrix of its own the embedding is read for that; else only a row of it.
  const tied = !header.tensors.some((t) => t.name === 'output.weight')
  let active = 0
  let experts = 0
  for (const { name, bytes = 0 } of header.tensors) {
    if (/_(ch)?exps\./.test(name) && count > 0) {
      experts += bytes
      active += (bytes * used) / count
    } else if (name !== 'token_embd.weight' || tied) active += bytes
  }
  return { active, experts }
}
