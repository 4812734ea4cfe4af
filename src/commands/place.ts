/** What `context` and `warm` begin with: the folder, the settings, the model. */
import { realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Model } from '../../engine/index.ts'
import { resolveConfig } from '../config/resolve.ts'
import type { Config } from '../config/settings.ts'
import { openModel } from '../open/model.ts'
import { type Paths, resolvePaths } from '../paths.ts'
import { UsageError } from '../usage-error.ts'

export interface ModelPlace {
  readonly cwd: string
  readonly config: Config
  readonly paths: Paths
  readonly model: Model
}

/** Opens the model that a session here would use. Nobody is asked anything. Throws UsageError and OpenError. */
export async function openModelPlace(options: {
  readonly flags: Readonly<Record<string, unknown>>
  readonly signal: AbortSignal
  readonly onStatus: (text: string | undefined) => void
  readonly onNotice: (text: string) => void
}): Promise<ModelPlace> {
  const { flags, signal, onStatus, onNotice } = options
  const cwd = workTree(flags['cwd'])
  const paths = resolvePaths()
  const { config, warnings } = resolveConfig({ cwd, paths, environment: process.env, flags })
  for (const text of warnings) onNotice(text)
  const model = await openModel({
    config,
    paths,
    signal,
    // What was read before an interruption is kept all the same.
    keepUntil: new AbortController().signal,
    mayAsk: false,
    animated: process.stderr.isTTY === true,
    onStatus,
    onNotice: (_, text) => onNotice(text),
  })
  return { cwd, config, paths, model }
}

/** The folder to work in, absolute and without links. */
function workTree(given: unknown): string {
  const path = resolve(typeof given === 'string' ? given : '.')
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new UsageError(`--cwd: ${path} is not a folder`)
  }
  return realpathSync(path)
}
