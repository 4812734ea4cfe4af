/** Real folders with a real workspace over them. */
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { openWorkspace, type Workspace } from '../../../sandbox/index.ts'

export interface WorkTree {
  readonly root: string
  readonly workspace: Workspace
  remove(): Promise<void>
}

/** A fresh folder with these files, and a workspace over it. */
export async function workTree(files: Readonly<Record<string, string | Buffer>> = {}): Promise<WorkTree> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'cachalot-tools-')))
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), content)
  }
  return { root, workspace: openWorkspace(root), remove: () => rm(root, { recursive: true, force: true }) }
}
