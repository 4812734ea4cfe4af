/** What of a file earlier turns of ours have written: known from the records that undo keeps. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { openStore, storeFolder } from './store.ts'
import { readTurns, type TurnFile } from './turns.ts'

/**
 * What stood at the path before the turns that left these very bytes there: one after the other, with nobody's changes between
 * them. Null: no file. Undefined: it is not what a turn left, or not recorded. Rejects with UndoError.
 */
export async function stoodBefore(
  { stateFolder, root }: { readonly stateFolder: string; readonly root: string },
  path: string,
  bytes: Buffer,
): Promise<Buffer | null | undefined> {
  const folder = storeFolder(stateFolder, root)
  if (!existsSync(folder)) return undefined
  const turns = (await readTurns({ folder })).filter(({ undone }) => !undone)
  const files = turns.toReversed().flatMap((turn) => turn.files?.filter((file) => file.path === path) ?? [])
  let oid = blobId(bytes)
  let first: TurnFile | undefined
  for (const file of files) {
    if (file.after?.kind !== 'file' || file.after.oid !== oid) break
    first = file
    if (file.before?.kind !== 'file') break
    oid = file.before.oid
  }
  if (first === undefined) return undefined
  if (first.before?.kind !== 'file') return null
  return await (await openStore(stateFolder, root)).content(first.before.oid)
}

/** Git's name for a content, see gitformat-loose(5); the store's repositories are of SHA-1. */
const blobId = (bytes: Buffer): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
