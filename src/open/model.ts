import {
  CatalogError,
  DownloadError,
  EffortError,
  EngineError,
  loadScript,
  type Model,
  ScriptError,
  scriptedModel,
} from '../../engine/index.ts'
import { openEmbeddedModel } from './embedded.ts'
import { OpenError } from './open-error.ts'
import { openRemoteModel } from './remote.ts'
import type { OpenModelRequest } from './request.ts'

const scripted = 'scripted:'

/** What their messages tell a person already, with the fix. */
const knownFailures = [ScriptError, CatalogError, DownloadError, EngineError, EffortError]

/** Opens the model that the settings name. Throws OpenError (exit `model`) with the fix in its message. */
export async function openModel(request: OpenModelRequest): Promise<Model> {
  const { config, paths, signal, mayAsk, animated, onStatus, onNotice } = request
  try {
    if (config.model?.startsWith(scripted)) {
      return scriptedModel(await loadScript(config.model.slice(scripted.length)))
    }
    if (config.baseUrl !== undefined || config.preset !== undefined) return openRemoteModel(config)
    const { ensureModel } = await import('../model/ensure.ts')
    const resolved = await ensureModel({
      paths,
      model: config.model,
      dialect: config.dialect,
      // A path counts from where the program was called, not from the work tree.
      cwd: process.cwd(),
      signal,
      screen: { status: onStatus, note: (text) => onNotice('info', text) },
      terminal: mayAsk ? { input: process.stdin, output: process.stderr } : undefined,
      animated,
    })
    return await openEmbeddedModel(resolved, request)
  } catch (error) {
    if (knownFailures.some((kind) => error instanceof kind)) {
      throw new OpenError('model', (error as Error).message, { cause: error })
    }
    throw error
  }
}
