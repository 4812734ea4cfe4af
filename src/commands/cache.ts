/** `cachalot cache ls | rm | gc | pin`: the saved readings of this machine. */
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { collect, type KvEntry, type ListedEntry, listStore, removeEntry } from '../../engine/index.ts'
import { resolveConfig } from '../config/resolve.ts'
import { bytesText } from '../model/bytes.ts'
import { table } from '../model/table.ts'
import { kvFolder, resolvePaths } from '../paths.ts'
import { count, plural } from '../terminal/numbers.ts'
import { safeJson, sanitizeLine } from '../terminal/sanitize.ts'
import { UsageError } from '../usage-error.ts'

export const say = (text: string): boolean => process.stderr.write(`${sanitizeLine(text)}\n`)

/** Lists the entries, the last used first. */
export async function listCommand(flags: { readonly json?: boolean }): Promise<number> {
  const entries = (await listStore(kvFolder(resolvePaths()))).toReversed()
  if (flags.json === true) {
    process.stdout.write(`${safeJson(entries)}\n`)
    return 0
  }
  if (entries.length === 0) {
    say('nothing is saved yet; readings of 1,000 tokens and more are, and `cachalot warm` saves a repository')
    return 0
  }
  const rows = entries.map(({ id, model, tokens, bytes, usedAt, pinned }) => [
    shortId(id),
    model,
    `${count(tokens)} tokens`,
    bytesText(bytes),
    `${new Date(usedAt).toISOString().slice(0, 16).replace('T', ' ')}${pinned ? '  pinned' : ''}`,
  ])
  process.stdout.write(`${table(rows).map(sanitizeLine).join('\n')}\n`)
  say(`${plural(entries.length, 'reading')}, ${bytesText(entries.reduce((sum, { bytes }) => sum + bytes, 0))}`)
  return 0
}

/** Removes some or all. UsageError for an id that nothing has. */
export async function removeCommand(ids: readonly string[], flags: { readonly all?: boolean }): Promise<number> {
  const paths = resolvePaths()
  const entries = await listStore(kvFolder(paths))
  if (ids.length === 0 && flags.all !== true) throw new UsageError('which? Name ids of `cachalot cache ls`, or --all')
  const chosen = flags.all === true ? entries : ids.map((id) => entryOf(id, entries))
  for (const entry of chosen) await removeEntry(entry)
  // The packed repositories are worth nothing without them.
  if (flags.all === true) await rm(join(paths.cache, 'repositories'), { recursive: true, force: true })
  say(`removed ${plural(chosen.length, 'reading')}, ${bytesText(chosen.reduce((sum, { bytes }) => sum + bytes, 0))}`)
  return 0
}

/** Brings the store within its limit. */
export async function collectCommand(): Promise<number> {
  const paths = resolvePaths()
  const { config } = resolveConfig({ cwd: process.cwd(), paths, environment: process.env, flags: {} })
  const { removed, bytes } = await collect(kvFolder(paths), config.cacheGigabytes * 1e9)
  say(`removed ${plural(removed.length, 'reading')}, ${bytesText(bytes)}`)
  return 0
}

/** Pins and unpins. */
export async function pinCommand(ids: readonly string[], flags: { readonly off?: boolean }): Promise<number> {
  const entries = await listStore(kvFolder(resolvePaths()))
  for (const { file } of ids.map((id) => entryOf(id, entries))) {
    if (flags.off === true) await rm(`${file}.pin`, { force: true })
    else if (existsSync(file)) await writeFile(`${file}.pin`, '', { mode: 0o600 })
  }
  return 0
}

/** As much of an id as people need: the tokens, and the digest's beginning. */
const shortId = (id: string): string => (id.split('/')[1] ?? id).replace(/^(\d+-[0-9a-f]{8}).*$/, '$1')

/** The entry that an id, whole or shortened to the tokens and some of the digest, means. */
export function entryOf<Entry extends KvEntry = ListedEntry>(id: string, entries: readonly Entry[]): Entry {
  // `1` is not every reading of ten thousand tokens and more.
  const beginning = id.includes('-') ? id : `${id}-`
  const found = entries.filter((entry) => entry.id === id || (entry.id.split('/')[1] ?? '').startsWith(beginning))
  const [entry] = found
  if (entry === undefined) throw new UsageError(`no reading is called "${sanitizeLine(id)}" (cachalot cache ls)`)
  if (found.length > 1) throw new UsageError(`"${sanitizeLine(id)}" means ${found.length} readings: write more of it`)
  return entry
}
