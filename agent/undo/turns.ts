/** The list of turns that can be taken back: one file beside the shadow repository. */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { type Store, UndoError } from './store.ts'

const entry = z.object({
  kind: z.enum(['file', 'link']),
  /** Permission bits. */
  mode: z.int(),
  /** Of the content, or of what the link says. */
  oid: z.string(),
})

const turn = z.object({
  id: z.string(),
  /** ISO 8601, UTC. */
  time: z.string(),
  session: z.string(),
  /** What the user asked, its beginning. */
  task: z.string(),
  /** The process that runs it, or ran it. */
  pid: z.int(),
  /** Tree before it. */
  before: z.string(),
  /** Ignored paths that its tools announced. */
  more: z.array(z.string()),
  /** Absent while the turn goes on, and for ever when it was killed. */
  files: z.array(z.object({ path: z.string(), before: entry.nullable(), after: entry.nullable() })).optional(),
  /** Paths that changed and are not recorded: too large, or unreadable. */
  left: z.array(z.string()),
  undone: z.boolean(),
})

/** What stands at a path. */
export type Entry = z.infer<typeof entry>
export type UndoTurn = z.infer<typeof turn>
export type TurnFile = NonNullable<UndoTurn['files']>[number]

const stored = z.object({ version: z.literal(1), turns: z.array(turn) })
const fileOf = (store: Pick<Store, 'folder'>): string => join(store.folder, 'turns.json')

/** Oldest first. Rejects with UndoError for a file that is damaged. */
export async function readTurns(store: Pick<Store, 'folder'>): Promise<UndoTurn[]> {
  const file = fileOf(store)
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new UndoError(`The list of turns ${file} cannot be read: ${(error as Error).message}`)
  }
  try {
    return stored.parse(JSON.parse(text)).turns
  } catch {
    throw new UndoError(`The list of turns ${file} is damaged or of another version. Move it away to begin a new one.`)
  }
}

export async function writeTurns(store: Pick<Store, 'folder'>, turns: readonly UndoTurn[]): Promise<void> {
  const temporary = `${fileOf(store)}.${process.pid}.tmp`
  await writeFile(temporary, JSON.stringify({ version: 1, turns }), { mode: 0o600 })
  await rename(temporary, fileOf(store))
}

/** Names under which the store holds the trees of a turn. */
export const keptNames = ({ id }: Pick<UndoTurn, 'id'>): { before: string; after: string; forced: string } => ({
  before: `${id}/before`,
  after: `${id}/after`,
  forced: `${id}/forced`,
})
