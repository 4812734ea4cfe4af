/** A patch worked out in memory: every file before and after, or everything that is wrong with it. */
import type { Workspace } from '../../sandbox/index.ts'
import { findText, missing, type OpenFile } from '../files.ts'
import { ToolProblem } from '../result.ts'
import { plainUtf8 } from '../text/encoding.ts'
import { withEol } from '../text/lines.ts'
import { applyHunks } from './hunks.ts'
import { describeNearest } from './nearest.ts'
import type { FileOperation, Hunk } from './patch/types.ts'
import type { PlannedFile } from './transaction.ts'

/** Throws ToolProblem with all that is wrong (at most three things told), WorkspaceError. Writes nothing. */
export async function planPatch(workspace: Workspace, operations: readonly FileOperation[]): Promise<PlannedFile[]> {
  const files = new Files(workspace)
  const problems: ToolProblem[] = []
  for (const operation of operations) {
    try {
      await planOperation(files, operation)
    } catch (error) {
      if (!(error instanceof ToolProblem)) throw error
      problems.push(error)
    }
  }
  if (problems[0]) {
    const told = problems.slice(0, 3).map((problem) => problem.message)
    throw new ToolProblem(problems[0].reason, ['Nothing was changed.', ...told].join('\n'))
  }
  const planned = files.planned()
  if (planned.length === 0)
    throw new ToolProblem('no-change', 'The patch changes nothing: the files are like this already.')
  return planned
}

interface FileState {
  readonly path: string
  readonly before: OpenFile | undefined
  /** Null: there is no such file. */
  text: string | null
  /** The file whose format and mode a moved file takes. */
  like: OpenFile | undefined
}

/** The files that a patch speaks of, as they will be. */
class Files {
  readonly #workspace: Workspace
  readonly #states = new Map<string, FileState>()

  constructor(workspace: Workspace) {
    this.#workspace = workspace
  }

  async get(path: string): Promise<FileState> {
    const name = this.#workspace.relative(path)
    const known = this.#states.get(name)
    if (known) return known
    const before = await findText(this.#workspace, name)
    const state: FileState = { path: name, before, text: before?.text ?? null, like: before }
    this.#states.set(name, state)
    return state
  }

  async existing(path: string): Promise<{ readonly state: FileState; readonly text: string }> {
    const state = await this.get(path)
    if (state.text === null) throw await missing(this.#workspace, path)
    return { state, text: state.text }
  }

  planned(): PlannedFile[] {
    return [...this.#states.values()]
      .filter((state) => state.text !== (state.before?.text ?? null))
      .map(({ path, before, text, like }) => ({
        path,
        before,
        text,
        format: like?.format ?? plainUtf8,
        mode: like?.mode,
      }))
  }
}

async function planOperation(files: Files, operation: FileOperation): Promise<void> {
  switch (operation.kind) {
    case 'add': {
      const state = await files.get(operation.path)
      // An empty file holds nothing that could be lost.
      if (state.text) throw inTheWay(state.path, 'change it with *** Update File, or replace it whole with write')
      state.text = operation.text
      return
    }
    case 'delete': {
      const { state } = await files.existing(operation.path)
      state.text = null
      return
    }
    case 'update': {
      const { state, text: current } = await files.existing(operation.path)
      const text = patchedText(state.path, current, operation.hunks)
      if (operation.moveTo === undefined) {
        state.text = text
        return
      }
      const target = await files.get(operation.moveTo)
      if (target.path !== state.path && target.text !== null)
        throw inTheWay(target.path, 'delete it first, or move elsewhere')
      state.text = null
      target.text = text
      target.like = state.like
      return
    }
    default:
      operation satisfies never
  }
}

const inTheWay = (path: string, remedy: string): ToolProblem =>
  new ToolProblem('exists', `${path} exists already: ${remedy}.`)

function patchedText(path: string, before: string, hunks: readonly Hunk[]): string {
  const patched = applyHunks(before, hunks)
  if (patched.ok) return patched.text
  const number = hunks.length > 1 ? `Hunk ${hunks.indexOf(patched.hunk) + 1} of ${path}` : `The hunk of ${path}`
  if (patched.reason === 'many-matches') {
    throw new ToolProblem(
      'many-matches',
      `${number} is ambiguous: its old lines stand at lines ${patched.lines.join(', ')}. Add lines of context, or @@ with the line of the function above.`,
    )
  }
  const old = withEol(patched.hunk.old.join('\n'), '\n')
  throw new ToolProblem(
    'no-match',
    `${number} was not found: its old lines are not in the file. ${describeNearest(before, old)}`,
  )
}
