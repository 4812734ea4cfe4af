/** The effort of an earlier session that is gone on with. */
import { modelOfSession } from '../../agent/index.ts'
import { defaultModelName, remotePresets } from '../../engine/index.ts'
import type { Config } from '../config/settings.ts'

/**
 * The settings with the effort that an earlier session had, where they name none: it is part of what the model has read.
 * Another one that is asked for stays, and is refused when the session is opened, as another model is.
 */
export async function withEffortOf(config: Config, resume: string | undefined): Promise<Config> {
  if (resume === undefined || config.effort !== undefined) return config
  const { preset, baseUrl } = config
  const own = preset !== undefined ? remotePresets[preset].model : baseUrl === undefined ? defaultModelName : undefined
  const earlier = await modelOfSession(resume)
  if (earlier?.effort === undefined || earlier.name !== (config.model ?? own)) return config
  return { ...config, effort: earlier.effort }
}
