/**
 * Installed packages, which git ignores and no record of the work tree holds: a check that passes because one of them was
 * changed says nothing about the repair, and nobody who applies its patch has that change.
 */
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Cheat } from './cheats.ts'

/** Folders where package managers put what they install. */
const homes = /(^|\/)(node_modules|bower_components|site-packages|\.?venv|env|vendor|Pods|deps)$/
/** What programs that check write beside packages. */
const caches = /^(\.cache|\.vite|\.vite-temp|\.vitest|\.tmp|__pycache__)$|\.py[co]$/
const python = /(^|\/)(site-packages|\.?venv|env)\//
/** Files that are named; one would do. */
const most = 3

/**
 * Files and folders of installed packages that were written, exchanged or removed since `sinceMs` (of the clock), as cheats. `ignored`: the folders of the work
 * tree that git leaves out, relative to `root`. Told by ctime, which no program can set back. Links are not followed.
 */
export async function changedPackages(root: string, ignored: readonly string[], sinceMs: number): Promise<Cheat[]> {
  const found: Cheat[] = []
  const walk = async (folder: string): Promise<void> => {
    // Gone meanwhile, or not ours to read: nothing runs from there either.
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      if (found.length >= most) return
      if (caches.test(entry.name)) continue
      const path = `${folder}/${entry.name}`
      const isFolder = entry.isDirectory()
      // A folder that was exchanged for another has files as old as ever; Python writes its caches into those of packages.
      const isNew = !(isFolder && python.test(path)) && (await ctimeMs(join(root, path))) > sinceMs
      if (isNew) found.push({ kind: 'packages', path, what: 'changes an installed package' })
      else if (isFolder) await walk(path)
    }
  }
  for (const folder of ignored.filter((path) => homes.test(path))) await walk(folder)
  return found
}

const ctimeMs = async (path: string): Promise<number> => (await lstat(path).catch(() => undefined))?.ctimeMs ?? 0
