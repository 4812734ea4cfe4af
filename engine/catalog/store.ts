/** The models on this machine: catalog files in the models folder, and records of every other file by a name. */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { partNames } from '../gguf/index.ts'
import { CatalogError } from './catalog-error.ts'
import type { CatalogEntry } from './entry.ts'
import { catalog, findEntry } from './lookup.ts'

export interface ModelFolders {
  /** Absolute path of the folder that models are kept in. */
  readonly models: string
}

/** A model that the catalog does not hold, or a catalog model in a file of the user's own. */
export interface ModelRecord {
  readonly name: string
  /** Absolute path of the GGUF file, of a model in several files the first. */
  readonly file: string
  /** Of all its files. */
  readonly bytes: number
  /** `hub`: downloaded by us and ours to delete. `own`: the user's file, which is never touched. */
  readonly owner: 'hub' | 'own'
  /** Where it came from, as the user spelt it: `hf:owner/repo/file` or a path. */
  readonly origin: string
  /** Of the file when it was added, where it was computed. */
  readonly sha256?: string
}

/** One line of `model list`. */
export interface StoredModel {
  readonly name: string
  readonly entry: CatalogEntry | undefined
  readonly record: ModelRecord | undefined
  /** Where the file is or, for a catalog model that is not here, would be. */
  readonly file: string
  readonly onDisk: boolean
  /** Bytes that an unfinished download left. */
  readonly partBytes: number
}

const recordSuffix = '.model.json'

/** Names that are safe as file names and cannot be taken for a path or an address. */
export function isModelName(name: string): boolean {
  return /^[a-z0-9][a-z0-9._-]{0,99}$/i.test(name) && !name.toLowerCase().endsWith('.gguf')
}

/** Where a catalog model's own download is or will be. */
export function catalogFile(entry: CatalogEntry, folders: ModelFolders): string {
  return join(folders.models, entry.file)
}

/** Where all files of a catalog model's own download are or will be, the first first. */
export function catalogFiles(entry: CatalogEntry, folders: ModelFolders): string[] {
  return entry.parts?.map(({ file }) => join(folders.models, file)) ?? [catalogFile(entry, folders)]
}

/** Every model of the catalog, on disk or not, and every record; the catalog first. */
export async function listModels(folders: ModelFolders): Promise<StoredModel[]> {
  const records = await readRecords(folders)
  const named = catalog.map((entry) =>
    describe(
      entry,
      records.find((record) => record.name === entry.name),
      folders,
    ),
  )
  const others = records.filter((record) => findEntry(record.name) === undefined)
  return await Promise.all([...named, ...others.map((record) => describe(undefined, record, folders))])
}

/** The catalog model or record with this name; undefined when there is neither. */
export async function findModel(name: string, folders: ModelFolders): Promise<StoredModel | undefined> {
  const models = await listModels(folders)
  return models.find((model) => model.name === name.toLowerCase())
}

/** Every name that `resolveModel` knows here. */
export async function modelNames(folders: ModelFolders): Promise<string[]> {
  return (await listModels(folders)).map((model) => model.name)
}

async function describe(
  entry: CatalogEntry | undefined,
  record: ModelRecord | undefined,
  folders: ModelFolders,
): Promise<StoredModel> {
  const files = entry === undefined ? [] : catalogFiles(entry, folders)
  const [own] = files
  const sizes = await Promise.all(files.map(sizeOf))
  // What is in parts has its name only when its digest was right.
  const whole = (size: number | undefined) =>
    size !== undefined && (entry?.parts !== undefined || size === entry?.bytes)
  const downloaded = files.length > 0 && sizes.every(whole)
  const file = downloaded || record === undefined ? (own ?? '') : record.file
  return {
    name: entry?.name ?? record?.name ?? '',
    entry,
    record: downloaded ? undefined : record,
    file,
    onDisk: downloaded || (record !== undefined && (await sizeOf(record.file)) !== undefined),
    partBytes: await partBytesOf(files, entry?.parts === undefined ? [] : sizes),
  }
}

/** What an unfinished download left: its beginnings, and those of its parts that are whole. */
async function partBytesOf(files: readonly string[], whole: readonly (number | undefined)[]): Promise<number> {
  const begun = await Promise.all(files.map((file) => sizeOf(`${file}.part`)))
  return [...begun, ...whole].reduce<number>((sum, size) => sum + (size ?? 0), 0)
}

/** Undefined for what is no file or not there. */
async function sizeOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined)
  return found?.isFile() ? found.size : undefined
}

async function readRecords({ models }: ModelFolders): Promise<ModelRecord[]> {
  // No folder: no models yet.
  const names = await readdir(models).catch(() => [])
  const records = await Promise.all(
    names.filter((name) => name.endsWith(recordSuffix)).map((name) => readRecord(join(models, name))),
  )
  return records.filter((record) => record !== undefined).sort((a, b) => a.name.localeCompare(b.name))
}

/** Undefined for a file that is no record: it must not take the other models with it. */
async function readRecord(path: string): Promise<ModelRecord | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'))
    return isRecord(value) ? value : undefined
  } catch {
    // Unreadable or half written by something else.
    return undefined
  }
}

function isRecord(value: unknown): value is ModelRecord {
  if (typeof value !== 'object' || value === null) return false
  const { name, file, bytes, owner, origin, sha256 } = value as Record<string, unknown>
  return (
    typeof name === 'string' &&
    isModelName(name) &&
    typeof file === 'string' &&
    Number.isSafeInteger(bytes) &&
    (owner === 'hub' || owner === 'own') &&
    typeof origin === 'string' &&
    (sha256 === undefined || typeof sha256 === 'string')
  )
}

const recordPath = (name: string, { models }: ModelFolders): string => join(models, `${name}${recordSuffix}`)

/**
 * Keeps a record. Throws CatalogError `bad-name` or, when the name means another file already, `name-taken`: also for
 * a catalog model's name, unless `sha256` is that model's.
 */
export async function addRecord(record: ModelRecord, folders: ModelFolders): Promise<void> {
  const { name } = record
  if (!isModelName(name) || name !== name.toLowerCase()) {
    throw new CatalogError('bad-name', `"${name}" cannot be a model's name. Give one of a-z, 0-9, . _ - with --name`)
  }
  const entry = findEntry(name)
  if (entry !== undefined && record.sha256 !== entry.sha256) {
    throw new CatalogError('name-taken', `${name} is a model of the catalog. Give another name with --name`)
  }
  const known = (await readRecords(folders)).find((other) => other.name === name)
  if (known !== undefined && known.file !== record.file) {
    throw new CatalogError(
      'name-taken',
      `${name} is the name of ${known.file} already. Give another with --name, or run: cachalot model rm ${name}`,
    )
  }
  const path = recordPath(name, folders)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(`${path}.new`, `${JSON.stringify(record, undefined, 2)}\n`)
  await rename(`${path}.new`, path)
}

/**
 * Removes what is ours of a model: its download, what an unfinished one left, its record. A file of the user's own
 * stays. Gives what was removed.
 */
export async function removeModel(
  model: StoredModel,
  folders: ModelFolders,
): Promise<{ readonly file: string | undefined; readonly record: boolean }> {
  const own = model.entry === undefined ? undefined : catalogFile(model.entry, folders)
  const file = model.record?.owner === 'own' ? own : (model.record?.file ?? own)
  let removed: string | undefined
  if (file !== undefined) {
    if ((await sizeOf(file)) !== undefined) removed = file
    for (const part of partNames(file) ?? [file])
      for (const path of [part, `${part}.part`, `${part}.part.tag`]) await rm(path, { force: true })
  }
  const records = await readRecords(folders)
  const record = records.some((other) => other.name === model.name)
  await rm(recordPath(model.name, folders), { force: true })
  return { file: removed, record }
}
