/** The entry of the interactive interface. Loaded only for it, so that one-shot runs stay quick. */
import { realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { resolvePaths } from '../paths.ts'
import { UsageError } from '../usage-error.ts'
import { defaultSettings, openInterface } from './interface.ts'
import { openPlace, trustFile } from './workplace.ts'

export interface InteractiveOptions {
  /** Flags as commander gives them; those that are settings are read by the configuration. */
  readonly flags: Readonly<Record<string, unknown>> & { readonly cwd?: string }
  /** Go on with the newest session of the folder, or choose one. */
  readonly session?: 'new' | 'newest' | 'pick'
  /** A first message. */
  readonly message?: string
}

/** Runs an interactive session on this process's terminal and gives the exit code. Throws UsageError. */
export async function runInteractive({ flags, session = 'new', message }: InteractiveOptions): Promise<number> {
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true) {
    throw new UsageError('there is no terminal here. Run: cachalot run "<task>", or pipe a task into cachalot run')
  }
  const given = resolve(flags.cwd ?? '.')
  if (statSync(given, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new UsageError(`--cwd: ${given} is not a folder`)
  const paths = resolvePaths()
  const { place, warnings, settings } = openPlace({ root: realpathSync(given), paths, environment: process.env, flags })
  return await openInterface({
    place,
    stdin: process.stdin,
    stdout: process.stdout,
    settings: { ...defaultSettings, ...settings, screenReader: process.env['INK_SCREEN_READER'] === 'true' },
    trustFile: trustFile(paths),
    warnings,
    begin: { session, message },
  })
}
