import { realpathSync } from 'node:fs'
import type { Rule } from '../../agent/index.ts'
import { nearest } from '../nearest.ts'
import type { Paths } from '../paths.ts'
import { UsageError } from '../usage-error.ts'
import { checkServers, type McpServer } from './mcp.ts'
import { checkRules } from './rules.ts'
import type { Setting } from './setting.ts'
import { type Config, type SettingName, settingNames, settings } from './settings.ts'
import {
  type Entry,
  environmentSource,
  fileSource,
  flagSource,
  repositoryFile,
  type Source,
  userFile,
} from './sources.ts'

export interface ResolvedConfig {
  readonly config: Config
  /** Where each value comes from: `--model`, `CACHALOT_MODEL`, `file:line`, or `default`. */
  readonly origins: Readonly<Record<SettingName, string>>
  /** What was ignored and why, a line each. */
  readonly warnings: readonly string[]
}

export interface ConfigRequest {
  /** The work tree, whose `.cachalot/config.toml` counts. */
  readonly cwd: string
  readonly paths: Paths
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly flags: Readonly<Record<string, unknown>>
}

/** The one step in which settings are decided: defaults < user file < repository file < environment < flags. */
export function resolveConfig({ cwd, paths, environment, flags }: ConfigRequest): ResolvedConfig {
  const user = userFile(paths)
  const repository = repositoryFile(cwd)
  return mergeSources([
    fileSource('user', user),
    // A session in the folder of the user's own settings: the same file must not be read as a stranger's.
    samePath(user, repository) ? { kind: 'repository', entries: [] } : fileSource('repository', repository),
    environmentSource(environment),
    flagSource(flags),
  ])
}

/** Checks every entry and lets later sources win. Throws UsageError for the first key or value that is wrong. */
export function mergeSources(sources: readonly Source[]): ResolvedConfig {
  const values: Partial<Record<SettingName, unknown>> = {}
  const origins: Partial<Record<SettingName, string>> = {}
  const warnings: string[] = []
  for (const name of settingNames) {
    values[name] = settings[name].fallback
    origins[name] = 'default'
  }
  const rules: Rule[] = []
  const servers: McpServer[] = []
  for (const source of sources) {
    if (source.rules !== undefined) {
      const checked = checkRules(source.rules, source.kind === 'repository' ? 'repository' : 'user')
      rules.push(...checked.rules)
      warnings.push(...checked.warnings)
    }
    if (source.servers !== undefined) {
      // Programs and addresses: never a repository's to choose.
      if (source.kind === 'user') servers.push(...checkServers(source.servers))
      else
        warnings.push(
          `${source.servers.origin}: [mcp] is ignored: a repository may not set it; use your own config.toml`,
        )
    }
    for (const entry of source.entries) {
      if (entry.setting === undefined) throw unknownKey(entry)
      const value = check(entry, settings[entry.setting] as Setting<unknown>)
      const refusal =
        source.kind === 'repository' ? refuse(settings[entry.setting] as Setting<unknown>, value) : undefined
      if (refusal !== undefined) {
        warnings.push(`${entry.origin}: "${entry.key}" is ignored: ${refusal}`)
        continue
      }
      values[entry.setting] = value
      origins[entry.setting] = entry.origin
    }
  }
  return { config: { ...values, rules, servers } as Config, origins: origins as Record<SettingName, string>, warnings }
}

function check(entry: Entry, setting: Setting<unknown>): unknown {
  const parsed = setting.schema.safeParse(entry.value)
  if (parsed.success) return parsed.data
  const given = typeof entry.value === 'string' ? entry.value : JSON.stringify(entry.value)
  const problem = parsed.error.issues.map((issue) => issue.message).join('; ')
  const place = entry.origin === entry.key ? entry.key : `${entry.origin}: ${entry.key}`
  throw new UsageError(`${place}: ${problem} (it is ${given})`)
}

function refuse(setting: Setting<unknown>, value: unknown): string | undefined {
  if (!setting.repository) return 'a repository may not set it; use your own config.toml, the environment or a flag'
  return setting.repositoryRefuses?.(value)
}

function unknownKey(entry: Entry): UsageError {
  const keys = settingNames.map((name) => settings[name].key)
  const meant = nearest(entry.key, keys) ?? keys.find((key) => key.split('.').at(-1) === entry.key.split('.').at(-1))
  return new UsageError(
    `${entry.origin}: unknown key "${entry.key}"${meant === undefined ? `; known keys: ${keys.join(', ')}` : `; did you mean "${meant}"?`}`,
  )
}

function samePath(one: string, other: string): boolean {
  try {
    return realpathSync(one) === realpathSync(other)
  } catch {
    return false // one of them is not there
  }
}
