/** Opens files of the work tree as text, with messages that lead to the right one. */
import type { Workspace } from '../sandbox/index.ts'
import { sizeText, ToolProblem } from './result.ts'
import { similarPaths } from './similar.ts'
import { decodeText, type TextFormat } from './text/encoding.ts'

/** Text files above this are not for reading or editing as a whole. */
const maxBytes = 10_000_000

export interface OpenFile {
  /** Relative to the root. */
  readonly path: string
  readonly bytes: Buffer
  readonly text: string
  readonly format: TextFormat
  readonly mode: number
}

/**
 * A file that is to be written. Undefined when there is nothing at the path. Throws ToolProblem for what is no text file,
 * WorkspaceError.
 */
export async function findText(workspace: Workspace, path: string): Promise<OpenFile | undefined> {
  const name = workspace.relative(path)
  const info = await workspace.stat(name)
  if (info?.kind === 'link') {
    throw new ToolProblem(
      'not-a-file',
      `${name} is a symbolic link; links are not written through. Give the real file.`,
    )
  }
  // A rename over it would not ask. Whoever took the right to write away meant it, also for root.
  if (info?.kind === 'file' && (info.mode & 0o222) === 0) {
    throw new ToolProblem(
      'io',
      `${name} is read-only (mode ${info.mode.toString(8)}). Make it writable first: chmod u+w.`,
    )
  }
  return findReadable(workspace, path)
}

/** A file that is to be read: through links too, as long as they stay inside. */
async function findReadable(workspace: Workspace, path: string): Promise<OpenFile | undefined> {
  const name = workspace.relative(path)
  const info = await workspace.stat(name)
  if (!info) return undefined
  if (info.kind === 'directory') {
    throw new ToolProblem('not-a-file', `${name} is a folder (directory), not a file. Use list to see what is in it.`)
  }
  if (info.kind === 'other') throw new ToolProblem('not-a-file', `${name} is not a regular file.`)
  if (info.bytes > maxBytes) {
    throw new ToolProblem(
      'too-large',
      `${name} is too large (${sizeText(info.bytes)}; the limit is ${sizeText(maxBytes)}). Use search to find lines in it, or shell with sed -n.`,
    )
  }
  const bytes = await workspace.read(name, { maxBytes })
  const decoded = await decodeText(bytes)
  if (!decoded) throw new ToolProblem('binary', `${name} is a binary file (${sizeText(bytes.length)}), not text.`)
  return { path: name, bytes, ...decoded, mode: info.mode }
}

/** A file to be read, which must be there: the message for one that is not names the paths most like it. */
export async function openText(workspace: Workspace, path: string): Promise<OpenFile> {
  return (await findReadable(workspace, path)) ?? Promise.reject(await missing(workspace, path))
}

/** What to say of a path at which there is nothing. */
export async function missing(workspace: Workspace, path: string): Promise<ToolProblem> {
  const name = workspace.relative(path)
  const similar = await similarPaths(workspace, name)
  const hint = similar.length > 0 ? `Did you mean ${similar.join(' or ')}?` : 'Use list to see the files.'
  return new ToolProblem('not-found', `${name} was not found. ${hint}`)
}
