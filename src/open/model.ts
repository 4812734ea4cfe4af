import { loadScript, type Model, scriptedModel } from '../../engine/index.ts'
import type { Config } from '../config/settings.ts'
import type { Paths } from '../paths.ts'
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

/** Opens the model that the settings name. Throws OpenError (exit `model`) with the fix in its message. */
export async function openModel(request: OpenModelRequest): Promise<Model> {
  const { config } = request
  const name = config.model
  if (name?.startsWith('scripted:')) return scriptedModel(await loadScript(name.slice('scripted:'.length)))
  throw new OpenError('model', 'only scripted models can be opened yet')
}
