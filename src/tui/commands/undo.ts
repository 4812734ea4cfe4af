/** Taking back what a turn changed in files, by the differences that the agent reported. All of it or nothing. */

import { isUtf8 } from 'node:buffer'
import { applyPatch, parsePatch, reversePatch, type StructuredPatch } from 'diff'
import type { FileChange } from '../../../agent/index.ts'
import { openWorkspace, type Workspace } from '../../../sandbox/index.ts'

export interface UndoOutcome {
  readonly ok: boolean
  readonly text: string
}

export interface Undo {
  /** A turn ended with these changes. */
  record(changes: readonly FileChange[]): void
  back(): Promise<UndoOutcome>
  again(): Promise<UndoOutcome>
  /** Another session: its turns are not these. */
  forget(): void
}

/** Turns that can be taken back. */
const depth = 50

export function openUndo(root: string): Undo {
  const workspace = openWorkspace(root)
  let done: (readonly FileChange[])[] = []
  let undone: (readonly FileChange[])[] = []

  const move = async (way: 'back' | 'again'): Promise<UndoOutcome> => {
    const [from, to] = way === 'back' ? [done, undone] : [undone, done]
    const changes = from.at(-1)
    if (changes === undefined)
      return { ok: false, text: way === 'back' ? 'There is nothing to undo.' : 'There is nothing to redo.' }
    const problem = await apply(workspace, changes, way === 'back')
    if (problem !== undefined) return { ok: false, text: `Nothing was changed: ${problem}` }
    to.push(changes)
    from.pop()
    const paths = changes.map(({ path }) => path).join(', ')
    return {
      ok: true,
      text: way === 'back' ? `Taken back the last changes of ${paths}` : `Made the changes of ${paths} again`,
    }
  }

  return {
    record(changes) {
      if (changes.length === 0) return
      done = [...done.slice(1 - depth), changes]
      undone = []
    },
    back: () => move('back'),
    again: () => move('again'),
    forget() {
      done = []
      undone = []
    },
  }
}

interface Planned {
  readonly path: string
  /** Null: the file goes. */
  readonly after: string | null
  readonly before: Buffer | null
}

/** Plans all files in memory, then writes; a failed write puts back what was written. Gives the reason when it cannot be done. */
async function apply(
  workspace: Workspace,
  changes: readonly FileChange[],
  reverse: boolean,
): Promise<string | undefined> {
  const planned: Planned[] = []
  for (const change of changes) {
    const plan = await planOne(workspace, change, reverse)
    if (typeof plan === 'string') return plan
    planned.push(plan)
  }
  const written: Planned[] = []
  try {
    for (const plan of planned) {
      written.push(plan)
      await put(workspace, plan.path, plan.after === null ? null : Buffer.from(plan.after))
    }
    return undefined
  } catch (error) {
    for (const { path, before } of written) await put(workspace, path, before).catch(() => undefined) // told below
    return error instanceof Error ? error.message : String(error)
  }
}

async function planOne(workspace: Workspace, change: FileChange, reverse: boolean): Promise<Planned | string> {
  const { path, diff } = change
  if (diff === undefined) return `${path} is not text, or too large.`
  const gone = change.kind === (reverse ? 'deleted' : 'added')
  const removes = change.kind === (reverse ? 'added' : 'deleted')
  const stats = await workspace.stat(path)
  if (gone && stats !== undefined) return `${path} exists again.`
  if (!gone && stats?.kind !== 'file') return `${path} is not there any more.`
  const before = gone ? null : await workspace.read(path)
  if (before !== null && !isUtf8(before)) return `${path} is not UTF-8.`
  const [parsed] = parsePatch(diff)
  if (parsed === undefined) return `the change of ${path} cannot be read.`
  const patch: StructuredPatch = reverse ? reversePatch(parsed) : parsed
  const after = applyPatch(before?.toString('utf8') ?? '', patch, { autoConvertLineEndings: false })
  if (after === false) return `${path} has been changed since.`
  if (removes && after !== '') return `${path} has been changed since.`
  return { path, before, after: removes ? null : after }
}

const put = (workspace: Workspace, path: string, bytes: Buffer | null): Promise<void> =>
  bytes === null ? workspace.remove(path) : workspace.write(path, bytes)
