import {
  dialectOf,
  dialects,
  type Effort,
  fits,
  type Model,
  modelPath,
  openEmbedded,
  openEngine,
  openKvStore,
  type ResolvedModel,
  readMachine,
  usualContextTokens,
} from '../../engine/index.ts'
import { preferFetchedLibraries } from '../gpu/libraries.ts'
import { kvFolder } from '../paths.ts'
import { bar } from '../terminal/numbers.ts'
import type { OpenModelRequest } from './request.ts'

/** Loads a model file into an engine host of its own. Rejects with EngineError. */
export async function openEmbeddedModel(resolved: ResolvedModel, request: OpenModelRequest): Promise<Model> {
  const { config, paths, signal, onStatus, onNotice, parallel } = request
  const { name, file, traits } = resolved
  preferFetchedLibraries(paths)
  // A model whose sequences each have a cache of their own keeps more of them only where that was planned for.
  const own = traits.dialect.startsWith('deepseek-v4') && parallel === undefined
  const keepSequences = own ? 0 : (request.keepSequences ?? 0)
  const contextTokens = config.context ?? (await usualContext(resolved))
  // Before the weights are read: what is refused here would otherwise be refused minutes later.
  const dialect = await dialectOf(resolved, { effort: config.effort, contextTokens })
  try {
    const engine = await openEngine({
      file,
      contextTokens,
      threads: config.threads,
      kvType: config.kvType,
      gpuLayers: config.gpuLayers,
      cpuExperts: config.experts === 'cpu',
      // Counts, as a model's path does, from where the program was called.
      adapter: config.adapter === undefined ? undefined : modelPath(config.adapter),
      // One more for the saving of readings behind an answer.
      ...(keepSequences > 0 && parallel !== undefined && { sequences: keepSequences + parallel + 1 }),
      signal,
      onLoad: (fraction) => onStatus(`loading ${name} ${bar(fraction)} ${Math.round(fraction * 100)} %`),
      onNotice: (text) => onNotice('info', text),
    })
    return openEmbedded({
      engine,
      dialect,
      info: { name, finishes: traits.finishes, prompt: traits.prompt, ...effortOf(traits.dialect, config.effort) },
      sampling: traits.sampling,
      keepSequences,
      ...(config.cacheGigabytes > 0 && {
        kept: {
          store: openKvStore({ folder: kvFolder(paths), maxBytes: config.cacheGigabytes * 1e9 }),
          signal: request.keepUntil ?? signal,
          onNotice: (text) => onNotice('warning', text),
        },
      }),
    })
  } finally {
    onStatus(undefined)
  }
}

/** Nothing for a dialect that has one way only. */
function effortOf(dialect: string, wanted: Effort | undefined): { readonly effort?: Effort } {
  const family = Object.hasOwn(dialects, dialect) ? dialects[dialect] : undefined
  return family === undefined || family.levels.length === 1 ? {} : { effort: wanted ?? family.usual }
}

/** As much context as this machine has room for now, up to what usual work needs; never less than a quarter of that. */
async function usualContext(resolved: ResolvedModel): Promise<number> {
  const machine = await readMachine()
  const most = Math.min(resolved.traits.contextTokens, usualContextTokens)
  return (
    [most, most / 2].map(Math.floor).find((tokens) => fits(machine, resolved, tokens).verdict === 'yes') ??
    Math.floor(most / 4)
  )
}
