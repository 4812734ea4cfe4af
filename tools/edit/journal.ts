/**
 * The journal of a change: what each file was and will be, written and made durable before the first file is touched and
 * removed after the last. What a crash leaves in it is finished, or taken back, by `recoverEdits`.
 */
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'

export interface JournaledFile {
  /** Relative to the root. */
  readonly path: string
  /** Null: no file. */
  readonly before: Buffer | null
  readonly after: Buffer | null
  /** Permission bits for a file that is made. */
  readonly mode?: number
}

export interface Journal {
  /** Of the process that began the change: its temporary files carry it in their names. */
  readonly pid: number
  readonly root: string
  /**
   * A change of one file: a rename makes it whole by itself, so that its text is not kept here and only what was written
   * beside it has to go. `before` and `after` then say nothing.
   */
  readonly single: boolean
  /** It is the change back from a text that was only tried. */
  readonly trial?: boolean | undefined
  readonly files: readonly JournaledFile[]
}

const base64 = z.string().nullable()
const stored = z.object({
  version: z.literal(1),
  pid: z.int(),
  root: z.string(),
  single: z.boolean(),
  trial: z.boolean().optional(),
  files: z.array(z.object({ path: z.string(), before: base64, after: base64, mode: z.int().optional() })),
})

const suffix = '.journal'
const nameOf = (root: string): string => createHash('sha256').update(root).digest('hex').slice(0, 16)

/** Gives the journal's file, which exists under this name only whole. Rejects with the system's error. */
export async function beginJournal(
  folder: string,
  root: string,
  files: readonly JournaledFile[],
  { trial = false }: { readonly trial?: boolean } = {},
): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const name = join(folder, `${nameOf(root)}-${randomUUID()}`)
  const single = files.length === 1 && !trial
  const encode = (bytes: Buffer | null): string | null => (single ? null : (bytes?.toString('base64') ?? null))
  const journal: z.infer<typeof stored> = {
    version: 1,
    pid: process.pid,
    root,
    single,
    ...(trial && { trial }),
    files: files.map((file) => ({ ...file, before: encode(file.before), after: encode(file.after) })),
  }
  try {
    await writeDurably(`${name}.tmp`, JSON.stringify(journal))
  } catch (error) {
    await rm(`${name}.tmp`, { force: true })
    throw error
  }
  await rename(`${name}.tmp`, name + suffix)
  await syncFolder(folder)
  return name + suffix
}

async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The change is whole, or taken back: the journal is of no more use. */
export const endJournal = (file: string): Promise<void> => unlink(file)

export type FoundJournal =
  | { readonly file: string; readonly journal: Journal }
  /** Cannot be read: nothing is known of what it was about. */
  | { readonly file: string; readonly journal: undefined }

/**
 * Journals left for this root, and the names of half-written ones, which no file was touched for. The newest first: where one was
 * begun within another, the outer one has the last word.
 */
export async function findJournals(
  folder: string,
  root: string,
): Promise<{ readonly journals: readonly FoundJournal[]; readonly halves: readonly string[] }> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const mine = names.filter((name) => name.startsWith(`${nameOf(root)}-`)).map((name) => join(folder, name))
  const found = mine.filter((name) => name.endsWith(suffix))
  const dated = await Promise.all(
    found.map(async (name) => {
      // Whose it was may end it meanwhile.
      const stats = await stat(name, { bigint: true }).catch(() => undefined)
      return stats === undefined ? [] : [{ name, at: stats.mtimeNs }]
    }),
  )
  const sorted = dated.flat().sort((one, other) => (one.at < other.at ? 1 : -1))
  const journals = await Promise.all(sorted.map(({ name }) => readJournal(name)))
  return { journals, halves: mine.filter((name) => name.endsWith('.tmp')) }
}

async function readJournal(file: string): Promise<FoundJournal> {
  try {
    const parsed = stored.parse(JSON.parse(await readFile(file, 'utf8')))
    const decode = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text, 'base64'))
    const files = parsed.files.map((each) => ({ ...each, before: decode(each.before), after: decode(each.after) }))
    return { file, journal: { ...parsed, files } }
  } catch {
    // Not JSON, or not of this form: the caller reports it and leaves the file where it is.
    return { file, journal: undefined }
  }
}

/** Makes the new name durable. Some file systems refuse to sync a folder. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
  } finally {
    await handle.close()
  }
}
