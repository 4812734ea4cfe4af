/** What every model command works with: folders, the model in use, and how failures become exit codes. */
import { join, resolve } from 'node:path'
import {
  CatalogError,
  DownloadError,
  defaultModelName,
  type Endpoints,
  EngineError,
  type ModelFolders,
  publicEndpoints,
} from '../../engine/index.ts'
import { resolveConfig } from '../config/resolve.ts'
import { type Paths, resolvePaths } from '../paths.ts'
import { watchInterrupts } from '../run/interrupt.ts'
import { sanitizeLine } from '../terminal/sanitize.ts'
import { UsageError } from '../usage-error.ts'

/** Where models are kept. */
export const modelFolders = (paths: Paths): ModelFolders => ({ models: join(paths.data, 'models') })

/** The model that a session started here would use, as it was spelt: a name, a path, or a remote model's id. */
export function modelInUse(paths: Paths, cwd: string = process.cwd()): string {
  const { config } = resolveConfig({ cwd: resolve(cwd), paths, environment: process.env, flags: {} })
  return config.model ?? defaultModelName
}

/**
 * The hubs' addresses. `HF_ENDPOINT` names a mirror of Hugging Face, as in its own tools
 * (https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables), `npm_config_registry` one of npm.
 */
export function hubEndpoints(environment: Readonly<Record<string, string | undefined>> = process.env): Endpoints {
  const mirror = (variable: string, usual: string): string => {
    const value = environment[variable]
    if (value === undefined || value === '') return usual
    if (!/^https?:$/.test(URL.parse(value)?.protocol ?? '')) {
      throw new UsageError(`${variable} must be an http or https address (it is ${sanitizeLine(value)})`)
    }
    return value.replace(/\/+$/, '')
  }
  return {
    ...publicEndpoints,
    huggingface: mirror('HF_ENDPOINT', publicEndpoints.huggingface),
    npm: mirror('npm_config_registry', publicEndpoints.npm),
  }
}

/** Runs a command with Ctrl-C wired to its signal. Says on stderr why it failed and gives the exit code. */
export async function modelCommand(
  run: (context: { paths: Paths; folders: ModelFolders; signal: AbortSignal }) => Promise<number>,
): Promise<number> {
  const interrupts = watchInterrupts(() => process.exit(130))
  const paths = resolvePaths()
  try {
    return await run({ paths, folders: modelFolders(paths), signal: interrupts.signal })
  } catch (error) {
    if (interrupts.signal.aborted) return 130
    if (error instanceof CatalogError && ['unknown-model', 'bad-name', 'name-taken'].includes(error.kind)) {
      throw new UsageError(sanitizeLine(error.message))
    }
    if (error instanceof CatalogError || error instanceof DownloadError || error instanceof EngineError) {
      process.stderr.write(`cachalot: ${sanitizeLine(error.message)}\n`)
      return 1
    }
    throw error
  } finally {
    interrupts.dispose()
  }
}
