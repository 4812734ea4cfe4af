import { type Model, openRemote, RemoteSetupError } from '../../engine/index.ts'
import type { Config } from '../config/settings.ts'
import { UsageError } from '../usage-error.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** A model behind an endpoint. Sends nothing yet. Throws UsageError for what the settings lack. */
export function openRemoteModel(baseUrl: string, config: Config, environment: Environment = process.env): Model {
  if (config.model === undefined) {
    throw new UsageError(
      `which model of ${baseUrl}? Name it with --model (the endpoint lists them at ${baseUrl}/models)`,
    )
  }
  // Node loads its HTTP client when it is first named (30 ms): now, while the sandbox is being tried.
  void globalThis.Headers
  try {
    return openRemote({
      baseUrl,
      model: config.model,
      apiKey: keyOf(config, environment),
      contextTokens: config.context,
    })
  } catch (error) {
    if (error instanceof RemoteSetupError) throw new UsageError(error.message, { cause: error })
    throw error
  }
}

function keyOf({ apiKeyEnv }: Config, environment: Environment): string | undefined {
  if (apiKeyEnv === undefined) return undefined
  const key = environment[apiKeyEnv]?.trim()
  if (key === undefined || key === '') {
    throw new UsageError(`the variable ${apiKeyEnv} (--api-key-env) is not set. Set it to the key of the endpoint`)
  }
  return key
}
