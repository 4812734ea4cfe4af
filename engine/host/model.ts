/** The weights: loading them, with progress and a way to stop, and the vocabulary that comes with them. */
import koffi from 'koffi'
import { EngineError } from '../engine.ts'
import { later } from './functions.ts'
import { type Pointer, progressCallback } from './layout.ts'
import type { Library } from './library.ts'
import { Vocabulary } from './vocabulary.ts'

export interface Model {
  readonly handle: Pointer
  /** `general.architecture` of the file. */
  readonly architecture: string
  readonly adapter: { readonly handle: Pointer; readonly scale: number } | undefined
  readonly vocabulary: Vocabulary
  /** Whether tokens can be dropped from the end freely; else only whole states come back. */
  readonly rewind: 'free' | 'checkpoint'
  /** Whether the cache can be one for all sequences (V4 keeps a stream for each, whatever is asked). */
  readonly unifiedCache: boolean
}

export interface LoadOptions {
  readonly file: string
  readonly architecture: string
  readonly gpuLayers: number | undefined
  /** Routed experts in the machine's memory: of all layers, or of the first so many. */
  readonly cpuExperts: boolean | number
  readonly adapter: { readonly file: string; readonly scale: number } | undefined
  readonly signal: AbortSignal
  onProgress(fraction: number): void
}

/** Loads a model on a worker thread. Its cause of failure is in the library's log (stderr). */
export async function loadModel(library: Library, options: LoadOptions): Promise<Model> {
  const { call } = library
  const callback = koffi.register((fraction: number) => {
    options.onProgress(fraction)
    return !options.signal.aborted
  }, koffi.pointer(progressCallback))
  try {
    const params = call.modelDefaults()
    const handle = await later(call.modelLoad, options.file, {
      ...params,
      n_gpu_layers: options.gpuLayers ?? params.n_gpu_layers,
      progress_callback: callback,
      tensor_buft_overrides: expertsOnCpu(library, options.cpuExperts),
    })
    if (options.signal.aborted) throw new EngineError('aborted', 'loading was stopped')
    if (handle === null) throw new EngineError('not-gguf', `the model ${options.file} could not be loaded`)
    const compressed = options.architecture === 'deepseek4'
    const free = !compressed && !call.modelIsRecurrent(handle) && !call.modelIsHybrid(handle)
    return {
      handle,
      architecture: options.architecture,
      adapter: options.adapter && (await loadAdapter(library, handle, options.adapter)),
      vocabulary: new Vocabulary(library, handle),
      rewind: free && call.modelWindow(handle) === 0 ? 'free' : 'checkpoint',
      unifiedCache: free,
    }
  } finally {
    koffi.unregister(callback)
  }
}

async function loadAdapter(
  library: Library,
  model: Pointer,
  adapter: { readonly file: string; readonly scale: number },
) {
  const handle = await later(library.call.adapterLoad, model, adapter.file)
  if (handle === null)
    throw new EngineError('not-gguf', `the adapter ${adapter.file} cannot be loaded, or is not made for this model`)
  return { handle, scale: adapter.scale }
}

/**
 * The list of tensors that stay in the machine's memory (`llama_model_tensor_buft_override`), null where none do. Kept
 * for as long as the process lives: the library does not copy the names.
 */
function expertsOnCpu(library: Library, layers: boolean | number): Pointer | null {
  if (layers === false || layers === 0) return null
  const cpu = library.call.deviceBufferType(library.call.deviceByType(0))
  const experts = 'ffn_(gate|up|down|gate_up)_(ch)?exps'
  const patterns = layers === true ? [experts] : Array.from({ length: layers }, (_, i) => `blk\\.${i}\\.${experts}`)
  const list: Pointer = koffi.alloc('tensor_override', patterns.length + 1)
  const size = koffi.sizeof('tensor_override')
  for (const [i, pattern] of patterns.entries())
    koffi.encode(list, i * size, 'tensor_override', { pattern, buffer_type: cpu })
  koffi.encode(list, patterns.length * size, 'tensor_override', { pattern: null, buffer_type: null })
  return list
}
