/**
 * Readings kept on disk: the state of a sequence after some tokens, found again by those tokens. Content-addressed, so
 * that several processes need no lock: the same name is the same content, a rename is atomic, and whoever finds a file
 * gone or broken reads the text again.
 */
import { mkdir, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { collect, type KvEntry, listEntries, removeEntry } from './entries.ts'
import { type ModelNote, readNote, writeNote } from './model-note.ts'
import { folderOfKey, prefixNames } from './names.ts'

/** The entries of one model. */
export interface ModelEntries {
  /** Entries that hold a beginning of these tokens, shorter than all of them; the longest first. */
  find(tokens: readonly number[]): Promise<KvEntry[]>
  /**
   * Has a state saved under the name of its tokens, unless there is one: `save` must write the file whole or not at
   * all. Then makes room. False when there was one, or it is larger than the whole store may be.
   */
  keep(tokens: readonly number[], save: (file: string) => Promise<void>): Promise<boolean>
  /** Tells that an entry was used: the longest unused go first. */
  used(entry: KvEntry): Promise<void>
  remove(entry: KvEntry): Promise<void>
  note(): Promise<ModelNote | undefined>
  /** Remembers the speed of reading where it differs from what was known. */
  noteSpeed(tokensPerSecond: number): Promise<void>
}

export interface KvStore {
  readonly folder: string
  /** `key`: see EngineInfo.stateKey. `name`: for people. */
  forModel(key: string, name: string): ModelEntries
}

export interface KvStoreOptions {
  /** Absolute; made when the first entry is. */
  readonly folder: string
  /** All entries together, pinned ones too. */
  readonly maxBytes: number
}

/** A speed within this share of the one known is the same: not worth a write. */
const sameSpeed = 0.15

export function openKvStore({ folder, maxBytes }: KvStoreOptions): KvStore {
  return {
    folder,
    forModel(key, name) {
      const own = join(folder, folderOfKey(key))
      return {
        async find(tokens) {
          const here = (await listEntries(folder)).filter(
            ({ file, tokens: count }) => file.startsWith(`${own}/`) && count > 0 && count < tokens.length,
          )
          const lengths = [...new Set(here.map((entry) => entry.tokens))].sort((a, b) => a - b)
          const wanted = new Set(prefixNames(tokens, lengths).map((one) => join(own, one)))
          return here.filter(({ file }) => wanted.has(file)).sort((a, b) => b.tokens - a.tokens)
        },
        async keep(tokens, save) {
          const [title = ''] = prefixNames(tokens, [tokens.length])
          const file = join(own, title)
          const same = (entry: KvEntry): boolean => entry.file === file
          const there = (await listEntries(folder)).find(same)
          if (there !== undefined) {
            await touch(there)
            return false
          }
          await mkdir(own, { recursive: true, mode: 0o700 })
          if ((await readNote(own)) === undefined) await writeNote(own, { name })
          await save(file)
          const made = (await listEntries(folder)).find(same)
          if (made !== undefined && made.bytes > maxBytes) {
            await removeEntry(made)
            return false
          }
          await collect(folder, maxBytes)
          return made !== undefined
        },
        used: touch,
        async remove(entry) {
          await removeEntry(entry)
        },
        note: () => readNote(own),
        async noteSpeed(tokensPerSecond) {
          const known = (await readNote(own))?.tokensPerSecond
          if (known !== undefined && Math.abs(known - tokensPerSecond) <= known * sameSpeed) return
          await writeNote(own, { name, tokensPerSecond })
        },
      }
    },
  }
}

async function touch({ file }: KvEntry): Promise<void> {
  const now = new Date()
  await utimes(file, now, now).catch(() => undefined) // removed by another process meanwhile
}

/** What `cachalot cache` shows and does. */
export interface ListedEntry extends KvEntry {
  /** The model's name; empty when nobody noted it. */
  readonly model: string
}

export async function listStore(folder: string): Promise<ListedEntry[]> {
  const names = new Map<string, string>()
  const listed: ListedEntry[] = []
  for (const entry of await listEntries(folder)) {
    const own = join(entry.file, '..')
    const name = names.get(own) ?? (await readNote(own))?.name ?? ''
    names.set(own, name)
    listed.push({ ...entry, model: name })
  }
  return listed
}
