/** Writes planned changes to the work tree: all of them, or none. */

import type { OpenFile } from '../files.ts'
import { fingerprint, ToolProblem } from '../result.ts'
import { encodeText, type TextFormat } from '../text/encoding.ts'
import type { TextChange, ToolContext } from '../types.ts'

export interface PlannedFile {
  /** Relative to the root. */
  readonly path: string
  /** Undefined: the file is made. */
  readonly before: OpenFile | undefined
  /** Null: the file is deleted. */
  readonly text: string | null
  readonly format: TextFormat
  /** Permission bits for a file that is made; undefined for the usual ones. */
  readonly mode?: number
}

interface EncodedFile extends PlannedFile {
  readonly bytes: Buffer | null
}

/**
 * Gives the changes as they were made. Rejects with ToolProblem `stale` when a file is no longer what was planned upon, with
 * EncodingError, WorkspaceError; files written by then are put back.
 */
export async function applyPlan(context: ToolContext, planned: readonly PlannedFile[]): Promise<TextChange[]> {
  const files = await Promise.all(planned.map(encode))
  await Promise.all(files.map((file) => checkUnchanged(context, file)))
  context.signal.throwIfAborted()
  const done: EncodedFile[] = []
  try {
    // Deletions come last: a move never leaves the text nowhere.
    for (const file of [...files].sort((a, b) => Number(a.bytes === null) - Number(b.bytes === null))) {
      done.push(file)
      await put(context, file.path, file.bytes, file.mode)
    }
  } catch (error) {
    for (const file of done.reverse()) await put(context, file.path, file.before?.bytes ?? null, file.before?.mode)
    throw error
  }
  for (const file of files) {
    if (file.bytes) context.seen?.set(file.path, fingerprint(file.bytes))
    else context.seen?.delete(file.path)
  }
  return files.map(({ path, before, text }) => ({ path, before: before?.text ?? null, after: text }))
}

async function encode(file: PlannedFile): Promise<EncodedFile> {
  return { ...file, bytes: file.text === null ? null : await encodeText(file.text, file.format) }
}

/** The last look before the first write: another program may have been at the file since it was read. */
async function checkUnchanged({ workspace }: ToolContext, { path, before }: PlannedFile): Promise<void> {
  const info = await workspace.stat(path)
  const same = info && before ? (await workspace.read(path)).equals(before.bytes) : !info && !before
  if (!same) throw new ToolProblem('stale', `${path} was changed by another program just now. Read it again.`)
}

async function put(
  { workspace }: ToolContext,
  path: string,
  bytes: Buffer | null,
  mode: number | undefined,
): Promise<void> {
  if (bytes) await workspace.write(path, bytes, { mode })
  else if (await workspace.stat(path)) await workspace.remove(path)
}
