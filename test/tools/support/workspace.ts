/** A plain workspace over real files, for tests of the tools alone. It confines by path only. */
import { lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { type Workspace, WorkspaceError } from '../../../sandbox/index.ts'

export function plainWorkspace(root: string): Workspace {
  const relativePath = (path: string): string => {
    const inside = relative(root, resolve(root, path))
    if (inside === '..' || inside.startsWith(`..${sep}`)) {
      throw new WorkspaceError('outside', path, `${path} is outside the work tree.`)
    }
    return inside === '' ? '.' : inside
  }
  const at = (path: string): string => join(root, relativePath(path))
  const found = async (path: string) => lstat(at(path)).catch(() => undefined)
  return {
    root,
    relative: relativePath,
    read: async (path, options) => {
      const info = await found(path)
      if (!info) throw new WorkspaceError('not-found', path, `${path} does not exist.`)
      if (!info.isFile()) throw new WorkspaceError('not-a-file', path, `${path} is a folder.`)
      const limit = options?.maxBytes ?? 64 * 1024 * 1024
      if (info.size > limit) throw new WorkspaceError('too-large', path, `${path} has ${info.size} bytes.`)
      return readFile(at(path))
    },
    stat: async (path) => {
      const info = await found(path)
      if (!info) return undefined
      const kind = info.isFile() ? 'file' : info.isDirectory() ? 'directory' : info.isSymbolicLink() ? 'link' : 'other'
      return { kind, bytes: info.size, modifiedMs: info.mtimeMs, mode: info.mode & 0o7777 }
    },
    write: async (path, bytes, options) => {
      const mode = (await found(path))?.mode ?? options?.mode ?? 0o644
      await mkdir(dirname(at(path)), { recursive: true })
      await writeFile(`${at(path)}.tmp`, bytes, { mode: mode & 0o7777 })
      await rename(`${at(path)}.tmp`, at(path))
    },
    remove: async (path) => unlink(at(path)),
    list: async (path) => {
      const entries = await readdir(at(path), { withFileTypes: true })
      return entries.map((entry) => entry.name + (entry.isDirectory() ? '/' : '')).sort()
    },
  }
}

/** A fresh folder with these files, and a workspace over it. */
export async function workTree(files: Readonly<Record<string, string | Buffer>> = {}): Promise<{
  readonly root: string
  readonly workspace: Workspace
  readonly remove: () => Promise<void>
}> {
  const root = await mkdtemp(join(tmpdir(), 'cachalot-tools-'))
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), content)
  }
  return { root, workspace: plainWorkspace(root), remove: () => rm(root, { recursive: true, force: true }) }
}
