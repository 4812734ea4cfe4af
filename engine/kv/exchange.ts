/** Readings in a folder of their own: to carry them to another machine, and to take them over there. */
import { constants } from 'node:fs'
import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { EngineError } from '../engine.ts'
import type { KvEntry } from './entries.ts'
import { readState, writeState } from './envelope.ts'
import { readNote, writeNote } from './model-note.ts'
import { folderOfKey, prefixNames, temporaryFor, tokensOfName } from './names.ts'

/** Copies entries into a folder (made when missing), by what they are called. */
export async function exportEntries(entries: readonly KvEntry[], to: string): Promise<void> {
  for (const { id, file } of entries) {
    const target = join(to, id)
    await mkdir(dirname(target), { recursive: true, mode: 0o700 })
    const temporary = temporaryFor(target)
    try {
      // Shares the blocks where the file system can.
      await copyFile(file, temporary, constants.COPYFILE_FICLONE)
      await rename(temporary, target)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
    const note = await readNote(dirname(file))
    if (note !== undefined) await writeNote(dirname(target), { name: note.name })
  }
}

export interface Imported {
  readonly taken: number
  /** Entries that were refused, and why. */
  readonly refused: readonly { readonly id: string; readonly why: string }[]
}

/**
 * Takes over what an export has put into a folder. An entry is checked whole (its sums, and that it is what its name
 * says) and written anew; whether it is of a model that is here does not matter. What the sums cannot tell is who made
 * it: import what you trust.
 */
export async function importEntries(from: string, folder: string): Promise<Imported> {
  let taken = 0
  const refused: { id: string; why: string }[] = []
  for (const model of await names(from)) {
    for (const name of await names(join(from, model))) {
      if (tokensOfName(name) === undefined) continue
      const id = `${model}/${name}`
      try {
        const own = join(folder, model)
        await readState(join(from, model, name), async (state) => {
          const [right] = prefixNames([...state.tokens], [state.tokens.length])
          if (folderOfKey(state.key) !== model || right !== name)
            throw new EngineError('bad-state', 'it is not what its name says')
          await mkdir(own, { recursive: true, mode: 0o700 })
          await writeState(join(own, name), { ...state, parts: copies(state.parts) })
        })
        const note = await readNote(join(from, model))
        if (note !== undefined && (await readNote(own)) === undefined) await writeNote(own, { name: note.name })
        taken += 1
      } catch (error) {
        if (!(error instanceof EngineError)) throw error
        refused.push({ id, why: error.message })
      }
    }
  }
  return { taken, refused }
}

/** Parts are read into the same few buffers again and again, sooner than they are written. */
async function* copies(parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const part of parts) yield Buffer.from(part)
}

/** Nothing for a folder that is not there, or is none. */
const names = async (folder: string): Promise<string[]> => (await readdir(folder).catch(() => [])).sort()
