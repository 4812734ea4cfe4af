/** Models on disk: what there is, where it comes from, whether it fits. Part of the engine's face. */
export { CatalogError } from './catalog-error.ts'
export { dialectOf } from './dialect-of.ts'
export { type Downloaded, type DownloadOptions, type DownloadRequest, download } from './download.ts'
export { DownloadError, type DownloadEvent } from './download-events.ts'
export type { CatalogEntry, MemoryNeed, ModelTraits, Source } from './entry.ts'
export { type Choice, choices, type Fit, fits, usualContextTokens } from './fits.ts'
export {
  fetchedLibraries,
  fetchLibraries,
  type GpuLibraries,
  gpuLibraries,
  removeLibraries,
} from './libraries.ts'
export { catalog, defaultEntry, defaultModelName, findEntry } from './lookup.ts'
export { type Machine, readMachine } from './machine.ts'
export { isModelPath, modelPath, type ResolvedModel, resolveModel, unknownModel } from './resolve.ts'
export { type Endpoints, publicEndpoints } from './source.ts'
export {
  addRecord,
  catalogFiles,
  findModel,
  isModelName,
  listModels,
  type ModelFolders,
  type ModelRecord,
  removeModel,
  type StoredModel,
} from './store.ts'
export { memoryOfHeader } from './traits.ts'
