/** Where the program keeps its own files: the XDG base directories, one folder of ours in each. */
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** Absolute paths. None of the folders is made here; who writes makes what it needs. */
export interface Paths {
  /** Settings of the user: `config.toml`. */
  readonly config: string
  /** Kept data that can be had again, but not cheaply: models. */
  readonly data: string
  /** Session logs, input history. */
  readonly state: string
  /** KV snapshots and everything that may be deleted at any time. */
  readonly cache: string
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The folders for an environment. `CACHALOT_HOME` (absolute) puts all four under one folder: for tests and portable
 * installations. Otherwise the XDG variables count; a relative value is ignored, as the specification asks
 * (https://specifications.freedesktop.org/basedir-spec/latest).
 */
export function resolvePaths(environment: Environment = process.env, home: string = homedir()): Paths {
  const single = environment['CACHALOT_HOME']
  if (single !== undefined && isAbsolute(single)) {
    return {
      config: join(single, 'config'),
      data: join(single, 'data'),
      state: join(single, 'state'),
      cache: join(single, 'cache'),
    }
  }
  const base = (variable: string, fallback: string): string => {
    const value = environment[variable]
    return join(value !== undefined && isAbsolute(value) ? value : join(home, fallback), 'cachalot')
  }
  return {
    config: base('XDG_CONFIG_HOME', '.config'),
    data: base('XDG_DATA_HOME', '.local/share'),
    state: base('XDG_STATE_HOME', '.local/state'),
    cache: base('XDG_CACHE_HOME', '.cache'),
  }
}

/** Where readings are kept; see engine/kv. */
export const kvFolder = (paths: Paths): string => join(paths.cache, 'kv')
