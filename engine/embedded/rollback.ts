/** How many tokens a model that goes back only to checkpoints can take back at once: what drafts need there. */
import type { EngineOptions } from '../engine.ts'
import { onGpu } from './memory.ts'

/**
 * On a GPU. For each token that can be taken back the library keeps the state of DeepSeek V4's compressors once more, and copies
 * all of these with each token: for V4-Flash and two sequences about 0.7 GB are moved at 4 and 1.3 GB at 8, beside 9.5 GB of
 * weights. A batch of 5 reads about 1.8 times the weights of one token there, one of 9 about 2.5 times.
 */
const tokensOnGpu = 4

/**
 * The number for a model where the caller names none: 0 turns drafts off on DeepSeek V4. On a CPU, and where the CPU computes the
 * experts, it is 0: the copies cost each token a tenth and more, and a batch hardly less than its tokens one by one
 * (docs/benchmarks.md). Models that can be cut anywhere need none.
 */
export function usualRollback(
  architecture: string,
  { gpuLayers, cpuExperts = false }: Pick<EngineOptions, 'gpuLayers' | 'cpuExperts'> = {},
  gpu = onGpu(),
): number {
  const onlyGpu = gpu && gpuLayers !== 0 && (cpuExperts === false || cpuExperts === 0)
  return architecture === 'deepseek4' && onlyGpu ? tokensOnGpu : 0
}
