/** The four places a setting can come from, each read into raw, unchecked values. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parse, TomlError } from 'smol-toml'
import type { Paths } from '../paths.ts'
import { UsageError } from '../usage-error.ts'
import type { RawServers } from './mcp.ts'
import { environmentRules, type RawRules, ruleLine, rulesVariable } from './rules.ts'
import { type SettingName, settingNames, settings } from './settings.ts'

/** One place with what it says. Later ones in a list win. */
export interface Source {
  readonly kind: 'user' | 'repository' | 'environment' | 'flag'
  readonly entries: readonly Entry[]
  /** Its `[[rules]]`. */
  readonly rules?: RawRules
  /** Its `[mcp.<name>]`. */
  readonly servers?: RawServers
}

/** One thing that a place says, not checked yet. */
export interface Entry {
  /** Dotted key in a file, or the name of the variable or flag. */
  readonly key: string
  /** The setting it names, undefined when nothing has that key. */
  readonly setting: SettingName | undefined
  readonly value: unknown
  /** For messages: `~/.config/cachalot/config.toml:3`, `CACHALOT_MODEL`, `--model`. */
  readonly origin: string
}

type Environment = Readonly<Record<string, string | undefined>>

export const userFile = (paths: Paths): string => join(paths.config, 'config.toml')

export const repositoryFile = (cwd: string): string => join(cwd, '.cachalot', 'config.toml')

/** A config file; empty where there is none. Throws UsageError with file and line when it is not TOML. */
export function fileSource(kind: 'user' | 'repository', file: string): Source {
  const status = statSync(file, { throwIfNoEntry: false })
  if (status === undefined) return { kind, entries: [] }
  if (!status.isFile() || status.size > 1024 * 1024) throw new UsageError(`${file}: not a configuration file`)
  const text = readFileSync(file, 'utf8')
  let table: object
  try {
    table = parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    throw new UsageError(`${file}:${error.line}: ${error.message.split('\n')[0]}`)
  }
  const byKey = new Map(settingNames.map((name) => [settings[name].key, name]))
  const { rules: rawRules, mcp, ...rest } = table as { readonly rules?: unknown; readonly mcp?: unknown }
  const entries = flatten(rest).map(([key, value]) => {
    const line = lineOf(text, key)
    return { key, setting: byKey.get(key), value, origin: line === undefined ? file : `${file}:${line}` }
  })
  const servers = mcp === undefined ? {} : { servers: { value: mcp, origin: file } }
  if (rawRules === undefined) return { kind, entries, ...servers }
  return {
    kind,
    entries,
    ...servers,
    rules: { value: rawRules, origin: (index) => `${file}:${ruleLine(text, index) ?? 1}` },
  }
}

/** The variables that name settings. Other CACHALOT_* variables mean something elsewhere, or nothing. */
export function environmentSource(environment: Environment): Source {
  const entries = settingNames.flatMap((name): Entry[] => {
    const { env, kind } = settings[name]
    const text = environment[env]
    return text === undefined || text === ''
      ? []
      : [{ key: env, setting: name, value: fromText(kind, text), origin: env }]
  })
  const rules = environmentRules(environment[rulesVariable])
  return { kind: 'environment', entries, ...(rules !== undefined && { rules }) }
}

/** Flags as commander gives them: by setting name, as text. */
export function flagSource(flags: Readonly<Record<string, unknown>>): Source {
  const entries = settingNames.flatMap((name): Entry[] => {
    const text = flags[name]
    if (typeof text !== 'string') return []
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    return [{ key: flag, setting: name, value: fromText(settings[name].kind, text), origin: flag }]
  })
  return { kind: 'flag', entries }
}

function fromText(kind: 'text' | 'number' | 'list' | 'words', text: string): unknown {
  if (kind === 'text') return text
  if (kind === 'words') return text.split(/[\s,]+/).filter((part) => part !== '')
  if (kind === 'list') return text.split(':').filter((part) => part !== '')
  return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text)
}

/** Leaves of nested tables as dotted keys; arrays are leaves. */
function flatten(table: object, prefix = ''): [string, unknown][] {
  return Object.entries(table).flatMap(([key, value]): [string, unknown][] =>
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
      ? flatten(value, `${prefix}${key}.`)
      : [[`${prefix}${key}`, value]],
  )
}

/** The line on which a dotted key is set, counted from 1; undefined for spellings this simple reading does not find. */
function lineOf(text: string, key: string): number | undefined {
  let table = ''
  for (const [index, line] of text.split('\n').entries()) {
    const header = /^\s*\[\s*([^[\]]+?)\s*\]/.exec(line)
    if (header) table = `${bare(header[1] ?? '')}.`
    const assignment = /^\s*([\w."'\s-]+?)\s*=/.exec(line)
    if (assignment) {
      const name = `${table}${bare(assignment[1] ?? '')}`
      if (name === key || key.startsWith(`${name}.`)) return index + 1
    }
  }
  return undefined
}

const bare = (name: string): string => name.replace(/["'\s]/g, '')
