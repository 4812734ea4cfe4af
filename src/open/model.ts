import { join } from 'node:path'
import {
  CatalogError,
  defaultModelName,
  EngineError,
  loadScript,
  type Model,
  resolveModel,
  ScriptError,
  scriptedModel,
} from '../../engine/index.ts'
import type { Config } from '../config/settings.ts'
import type { Paths } from '../paths.ts'
import { openEmbeddedModel } from './embedded.ts'
import { OpenError } from './open-error.ts'

export interface OpenModelRequest {
  readonly config: Config
  readonly paths: Paths
  readonly signal: AbortSignal
  /** Whether a person is there to be asked which model to fetch. */
  readonly mayAsk: boolean
  /** A passing line: download, weights being read. Undefined: over. */
  readonly onStatus: (text: string | undefined) => void
  /** A lasting line: where a file comes from, a host restarted. */
  readonly onNotice: (level: 'info' | 'warning', text: string) => void
}

const scripted = 'scripted:'

/** Opens the model that the settings name. Throws OpenError (exit `model`) with the fix in its message. */
export async function openModel(request: OpenModelRequest): Promise<Model> {
  const { config, paths } = request
  try {
    if (config.model?.startsWith(scripted)) {
      return scriptedModel(await loadScript(config.model.slice(scripted.length)))
    }
    const folders = { models: join(paths.data, 'models') }
    const resolved = await resolveModel(config.model ?? defaultModelName, folders, { dialect: config.dialect })
    return await openEmbeddedModel(resolved, request)
  } catch (error) {
    if (error instanceof ScriptError || error instanceof CatalogError || error instanceof EngineError) {
      throw new OpenError('model', error.message, { cause: error })
    }
    throw error
  }
}
