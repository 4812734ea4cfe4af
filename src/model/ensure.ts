/** The model that a session runs on: found on disk, or fetched on first use. */
import {
  CatalogError,
  defaultEntry,
  findEntry,
  listModels,
  type ModelFolders,
  type ResolvedModel,
  resolveModel,
} from '../../engine/index.ts'
import type { Paths } from '../paths.ts'
import { askForModel } from './ask.ts'
import { bytesText } from './bytes.ts'
import { modelFolders } from './context.ts'
import { fetchEntry } from './fetch.ts'
import type { ProgressScreen } from './progress.ts'
import { chooseModel } from './use.ts'

export interface EnsureOptions {
  readonly paths: Paths
  /** The configured model: a name or a path. Undefined: nothing is configured. */
  readonly model: string | undefined
  /** The configured dialect, for a file that is not in the catalog. */
  readonly dialect: string | undefined
  /** Folder that a relative path counts from. */
  readonly cwd: string
  readonly signal: AbortSignal
  readonly screen: ProgressScreen
  /** The terminal to ask on; undefined where there is none: then nothing is asked and the default is taken. */
  readonly terminal: { readonly input: NodeJS.ReadableStream; readonly output: NodeJS.WritableStream } | undefined
  /** Whether the screen shows passing lines (stderr is a terminal). */
  readonly animated: boolean
}

/**
 * Gives the model to load. A catalog model that is not here is downloaded, with its progress on the screen. With
 * nothing configured it is the default; in a terminal on a machine without any model the user is asked, and another
 * answer than the default is written to the user's config.toml. Rejects with CatalogError, DownloadError, EngineError,
 * or the signal's reason.
 */
export async function ensureModel(options: EnsureOptions): Promise<ResolvedModel> {
  const { paths, signal } = options
  const folders = modelFolders(paths)
  const name = options.model ?? (await firstChoice(options, folders))
  const where = { dialect: options.dialect, cwd: options.cwd }
  try {
    return await resolveModel(name, folders, where)
  } catch (error) {
    const entry = findEntry(name)
    if (!(error instanceof CatalogError) || error.kind !== 'not-on-disk' || entry === undefined) throw error
    options.screen.note(
      `${entry.name} (${bytesText(entry.bytes)}, ${entry.licence}) is fetched once, to ${folders.models}`,
    )
    await fetchEntry(entry, { folders, signal, screen: options.screen, terminal: options.animated })
    return await resolveModel(name, folders, where)
  }
}

async function firstChoice(options: EnsureOptions, folders: ModelFolders): Promise<string> {
  const preset = defaultEntry()
  if (options.terminal === undefined) return preset.name
  if ((await listModels(folders)).some((model) => model.onDisk)) return preset.name
  const chosen = await askForModel({ ...options.terminal, signal: options.signal })
  if (chosen !== preset) await chooseModel(chosen.name, options.paths)
  return chosen.name
}
