/** Writes planned changes to the work tree: all of them, or none. */
import { posix } from 'node:path'
import type { Workspace } from '../../sandbox/index.ts'
import type { OpenFile } from '../files.ts'
import { fingerprint, ToolProblem } from '../result.ts'
import { encodeText, type TextFormat } from '../text/encoding.ts'
import type { TextChange, ToolContext } from '../types.ts'
import { beginJournal, endJournal, type JournaledFile } from './journal.ts'
import { inTurn } from './lock.ts'
import { recoverInTurn } from './recover.ts'

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

/** What a transaction needs of the tool's context. */
export type WriteContext = Pick<ToolContext, 'workspace' | 'signal' | 'seen' | 'journal'>

/**
 * Plans and writes as one: nobody else of ours changes the work tree between the two, and what a crash had left half done is
 * settled first. Gives the changes as they were made. Rejects with ToolProblem, EncodingError, WorkspaceError; no file
 * is changed then.
 */
export function changeFiles(context: WriteContext, plan: () => Promise<readonly PlannedFile[]>): Promise<TextChange[]> {
  const { workspace, journal } = context
  return inTurn(workspace.root, async () => {
    if (journal) await recoverInTurn(workspace, journal)
    return applyPlan(context, await plan())
  })
}

/** The changes that a plan would make. Empty where it cannot be made: doing it tells why. */
export async function previewFiles(plan: () => Promise<readonly PlannedFile[]>): Promise<TextChange[]> {
  try {
    return (await plan()).map(changeOf)
  } catch {
    return [] // a wrong path, a text that is not there, a file that cannot be read: the call fails in the same way
  }
}

const changeOf = ({ path, before, text }: PlannedFile): TextChange => ({
  path,
  before: before?.text ?? null,
  after: text,
})

async function applyPlan(context: WriteContext, planned: readonly PlannedFile[]): Promise<TextChange[]> {
  const files = await Promise.all(planned.map(encode))
  await Promise.all(files.map((file) => checkUnchanged(context, file)))
  context.signal.throwIfAborted()
  const journal = context.journal ? await begin(context.journal, context.workspace.root, files) : undefined
  await writeAll(context, files, journal)
  for (const { path, after } of files) {
    if (after) context.seen?.set(path, fingerprint(after))
    else context.seen?.delete(path)
  }
  return planned.map(changeOf)
}

/** The journal, or a problem that says which folder it could not be written to: it is not one of the work tree. */
async function begin(folder: string, root: string, files: readonly JournaledFile[]): Promise<string> {
  try {
    return await beginJournal(folder, root, files)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const fix = 'The user must free space or permissions there, or set XDG_STATE_HOME to another folder.'
    throw new ToolProblem(
      'io',
      `Nothing was changed: the journal of the change cannot be kept in ${folder}: ${why}. ${fix}`,
    )
  }
}

async function writeAll(
  { workspace }: WriteContext,
  files: readonly JournaledFile[],
  journal: string | undefined,
): Promise<void> {
  const made = await missingFolders(workspace, files)
  const done: JournaledFile[] = []
  try {
    // Deletions come last: a move never leaves the text nowhere.
    for (const file of files.toSorted((a, b) => Number(a.after === null) - Number(b.after === null))) {
      done.push(file)
      if (file.after) await workspace.write(file.path, file.after, { mode: file.mode })
      else await workspace.remove(file.path)
    }
  } catch (error) {
    await takeBack(workspace, done, error)
    // Folders that only this change made hold nothing now; one that somebody put something into stays.
    for (const folder of made) await workspace.removeEmptyFolder(folder).catch(() => false)
    if (journal) await endJournal(journal)
    throw error
  }
  if (journal) await endJournal(journal)
}

/** Folders that the change will make, the deepest first. */
async function missingFolders(workspace: Workspace, files: readonly JournaledFile[]): Promise<string[]> {
  const folders = new Set<string>()
  for (const { path, after } of files) {
    for (let at = posix.dirname(path); after !== null && at !== '.' && !folders.has(at); at = posix.dirname(at)) {
      if ((await workspace.stat(at)) !== undefined) break
      folders.add(at)
    }
  }
  return [...folders].sort((a, b) => b.length - a.length)
}

/** The last file may be written or not: what is as before is left alone. */
async function takeBack(workspace: Workspace, done: readonly JournaledFile[], cause: unknown): Promise<void> {
  try {
    for (const { path, before, mode } of done.toReversed()) {
      const now = (await workspace.stat(path)) ? await workspace.read(path) : null
      if (before && !now?.equals(before)) await workspace.write(path, before, { mode })
      else if (!before && now) await workspace.remove(path)
    }
  } catch (error) {
    const why = [cause, error].map((each) => (each instanceof Error ? each.message : String(each))).join(' Then: ')
    throw new ToolProblem('io', `The change is half done and could not be taken back. ${why}`)
  }
}

async function encode(file: PlannedFile): Promise<JournaledFile> {
  const after = file.text === null ? null : await encodeText(file.text, file.format)
  return { path: file.path, before: file.before?.bytes ?? null, after, mode: file.mode ?? file.before?.mode }
}

/** The last look before the first write: another program may have been at the file since it was read. */
async function checkUnchanged({ workspace }: WriteContext, { path, before }: JournaledFile): Promise<void> {
  const info = await workspace.stat(path)
  const same = info && before ? (await workspace.read(path)).equals(before) : !info && !before
  if (!same) throw new ToolProblem('stale', `${path} was changed by another program just now. Read it again.`)
}
