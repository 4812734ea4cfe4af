import {
  type Model,
  openRemote,
  type Price,
  type RemotePreset,
  RemoteSetupError,
  remotePresets,
} from '../../engine/index.ts'
import type { Config } from '../config/settings.ts'
import { UsageError } from '../usage-error.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** A model behind an endpoint. Sends nothing yet. Throws UsageError for what the settings lack. */
export function openRemoteModel(config: Config, environment: Environment = process.env): Model {
  const preset = config.preset === undefined ? undefined : remotePresets[config.preset]
  const baseUrl = config.baseUrl ?? preset?.baseUrl
  if (baseUrl === undefined) throw new UsageError('where is the endpoint? Name it with --base-url or --preset')
  const model = config.model ?? preset?.model
  if (model === undefined) {
    throw new UsageError(
      `which model of ${baseUrl}? Name it with --model (the endpoint lists them at ${baseUrl}/models)`,
    )
  }
  // Node loads its HTTP client when it is first named (30 ms): now, while the sandbox is being tried.
  void globalThis.Headers
  try {
    return openRemote({
      baseUrl,
      model,
      apiKey: keyOf(config, preset, environment),
      apiKeyEnv: config.apiKeyEnv ?? preset?.apiKeyEnv,
      contextTokens: config.context ?? preset?.contextTokens,
      effort: config.effort,
      vision: config.vision === 'on',
      ...(preset === undefined ? {} : { preset }),
      price: priceOf(config),
    })
  } catch (error) {
    if (error instanceof RemoteSetupError) throw new UsageError(error.message, { cause: error })
    throw error
  }
}

/** The setting's form is checked where it is read. */
function priceOf({ price }: Config): Price | undefined {
  const [hit = 0, miss = 0, output = 0] = price?.split('/').map(Number) ?? []
  return price === undefined ? undefined : { hit, miss, output }
}

function keyOf({ apiKeyEnv }: Config, preset: RemotePreset | undefined, environment: Environment): string | undefined {
  const name = apiKeyEnv ?? preset?.apiKeyEnv
  if (name === undefined) return undefined
  const key = environment[name]?.trim()
  if (key === undefined || key === '') {
    const flag = apiKeyEnv === undefined ? `the preset ${preset?.name} reads it` : '--api-key-env'
    throw new UsageError(
      `the variable ${name} (${flag}) is not set. Set it to the key of the endpoint: export ${name}=…`,
    )
  }
  return key
}
