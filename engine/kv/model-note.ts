/** What is known of a model beside its entries: its name for people, and how fast this machine reads with it. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFor } from './names.ts'

export interface ModelNote {
  readonly name: string
  /** Tokens a second of prefill, as last measured here; undefined before the first. */
  readonly tokensPerSecond?: number | undefined
}

const fileIn = (folder: string): string => join(folder, 'model.json')

/** Undefined where nothing was noted, or what is there is not ours to understand: it is measured again. */
export async function readNote(folder: string): Promise<ModelNote | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(fileIn(folder), 'utf8'))
    if (typeof value !== 'object' || value === null || !('name' in value) || typeof value.name !== 'string')
      return undefined
    const speed = 'tokensPerSecond' in value ? value.tokensPerSecond : undefined
    return { name: value.name, ...(typeof speed === 'number' && speed > 0 ? { tokensPerSecond: speed } : {}) }
  } catch {
    return undefined
  }
}

export async function writeNote(folder: string, note: ModelNote): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const temporary = temporaryFor(fileIn(folder))
  try {
    await writeFile(temporary, JSON.stringify(note), { mode: 0o600 })
    await rename(temporary, fileIn(folder))
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
