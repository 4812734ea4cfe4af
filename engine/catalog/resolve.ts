/** From what the user calls a model to its file and the way it is spoken to. */
import { stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { readGgufHeader } from '../gguf/index.ts'
import { CatalogError } from './catalog-error.ts'
import type { CatalogEntry, MemoryNeed, ModelTraits } from './entry.ts'
import { nearestName } from './lookup.ts'
import { findModel, type ModelFolders, modelNames } from './store.ts'
import { memoryOfHeader, traitsOfHeader } from './traits.ts'

export interface ResolvedModel {
  /** Catalog name, recorded name, or the path as the user wrote it. */
  readonly name: string
  /** Absolute path of the GGUF file. */
  readonly file: string
  readonly bytes: number
  readonly entry: CatalogEntry | undefined
  readonly traits: ModelTraits
  readonly memory: MemoryNeed
}

/** Whether a model is named by its place on disk: only these are looked for outside the models folder. */
export function isModelPath(name: string): boolean {
  return /[\\/]/.test(name) || /\.gguf$/i.test(name) || name === '~'
}

/** A path as the user wrote it, made absolute; `~/` is the home folder (in config files no shell replaces it). */
export function modelPath(name: string, cwd: string = process.cwd()): string {
  return name.startsWith('~/') ? join(homedir(), name.slice(2)) : resolve(cwd, name)
}

/**
 * Finds a model that is on disk. Throws CatalogError: `unknown-model` with the nearest name, `not-on-disk` with the
 * command that fetches it, `unknown-dialect` for a file whose protocol nobody knows (`dialect` settles that); and
 * EngineError (`file-missing`, `not-gguf`, `truncated`) for a path that is no model file.
 */
export async function resolveModel(
  name: string,
  folders: ModelFolders,
  { dialect, cwd }: { dialect?: string | undefined; cwd?: string | undefined } = {},
): Promise<ResolvedModel> {
  if (isModelPath(name)) return fromFile(name, modelPath(name, cwd), dialect)
  const model = await findModel(name, folders)
  if (model === undefined) throw await unknownModel(name, folders)
  if (!model.onDisk) {
    if (model.entry === undefined) {
      throw new CatalogError(
        'not-on-disk',
        `the file of ${model.name} is gone: ${model.file}. Forget it with: cachalot model rm ${model.name}`,
      )
    }
    throw new CatalogError(
      'not-on-disk',
      `${model.name} is not on this machine. Run: cachalot model pull ${model.name}`,
    )
  }
  if (model.entry === undefined || dialect !== undefined) {
    return { ...(await fromFile(model.name, model.file, dialect)), entry: model.entry }
  }
  const { entry, file } = model
  return { name: entry.name, file, bytes: entry.bytes, entry, traits: entry, memory: entry.memory }
}

/** The error for a name that nothing here has, with the nearest that something has. */
export async function unknownModel(name: string, folders: ModelFolders): Promise<CatalogError> {
  const known = await modelNames(folders)
  const meant = nearestName(name, known)
  const hint = meant === undefined ? `Known: ${known.join(', ')}` : `Did you mean ${meant}?`
  return new CatalogError(
    'unknown-model',
    `there is no model "${name}". ${hint} (a file: give its path; a hub's file: hf:owner/repo/file.gguf)`,
  )
}

async function fromFile(name: string, file: string, dialect: string | undefined): Promise<ResolvedModel> {
  const header = await readGgufHeader(file)
  const { size } = await stat(file)
  const traits = traitsOfHeader(header, { file, ...(dialect === undefined ? {} : { dialect }) })
  return { name, file, bytes: size, entry: undefined, traits, memory: memoryOfHeader(header) }
}
