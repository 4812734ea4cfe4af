/** The weights: loading them, with progress and a way to stop, and the vocabulary that comes with them. */
import koffi from 'koffi'
import { EngineError } from '../engine.ts'
import { later } from './functions.ts'
import { type Pointer, progressCallback } from './layout.ts'
import type { Library } from './library.ts'
import { Vocabulary } from './vocabulary.ts'

export interface Model {
  readonly handle: Pointer
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
    })
    if (options.signal.aborted) throw new EngineError('aborted', 'loading was stopped')
    if (handle === null) throw new EngineError('not-gguf', `the model ${options.file} could not be loaded`)
    const compressed = options.architecture === 'deepseek4'
    const free = !compressed && !call.modelIsRecurrent(handle) && !call.modelIsHybrid(handle)
    return {
      handle,
      vocabulary: new Vocabulary(library, handle),
      rewind: free && call.modelWindow(handle) === 0 ? 'free' : 'checkpoint',
      unifiedCache: free,
    }
  } finally {
    koffi.unregister(callback)
  }
}
