/** Which libraries the engine computes with: those for a GPU where the user has fetched them. */
import { join } from 'node:path'
import { fetchedLibraries, gpuLibraries } from '../../engine/index.ts'
import type { Paths } from '../paths.ts'

/** Where libraries for GPUs are kept. */
export const librariesFolder = (paths: Paths): string => join(paths.data, 'libraries')

/**
 * Makes the engine use fetched libraries, the fastest of them, unless the user has named a folder. To be called before a
 * model is opened: engine hosts are told by the environment that they inherit.
 */
export function preferFetchedLibraries(paths: Paths): void {
  if (process.env['CACHALOT_LLAMA_LIBS']) return
  for (const libraries of gpuLibraries()) {
    const there = fetchedLibraries(libraries, librariesFolder(paths))
    if (there === undefined) continue
    process.env['CACHALOT_LLAMA_LIBS'] = there
    return
  }
}
