/** Notices that files change, by the system's own word: which of those that are followed have to be looked at. */
import { type FSWatcher, watch } from 'node:fs'
import { join } from 'node:path'
import { basename, dirname } from 'node:path/posix'

export interface FileWatch {
  /** From now on these files are followed, too. Paths relative to the root, with `/`. */
  follow(paths: Iterable<string>): void
  /** What may have changed since the last call; `all` where that is not known. */
  take(): ReadonlySet<string> | 'all'
  close(): void
}

/** Folders that are watched; beyond them the files are looked at one by one. */
const mostFolders = 1024

/**
 * Watches the folders of the files, not the whole tree: a work tree may hold a hundred thousand files that the model was never
 * shown. It never keeps the program running.
 */
export function watchFiles(root: string): FileWatch {
  const files = new Set<string>()
  const folders = new Map<string, FSWatcher>()
  let dirty = new Set<string>()
  let all = false

  const lost = (): void => {
    all = true
    for (const watcher of folders.values()) watcher.close()
    folders.clear()
  }

  const open = (folder: string): void => {
    if (folders.size >= mostFolders) {
      all = true
      return
    }
    try {
      const watcher = watch(join(root, folder), { persistent: false }, (_, name) => {
        const path = name === null ? undefined : folder === '.' ? name : `${folder}/${name}`
        if (path !== undefined && files.has(path)) dirty.add(path)
        // A folder was put in the place of another, or this one is gone: its watcher tells of the old one.
        else if (path === undefined || folders.has(path) || name === basename(folder)) lost()
      })
      watcher.on('error', lost)
      folders.set(folder, watcher)
    } catch {
      // The folder is gone, or the system gives no more watchers.
      all = true
    }
  }

  return {
    follow(paths) {
      for (const path of paths) files.add(path)
      for (const folder of new Set([...files].map((path) => dirname(path)))) if (!folders.has(folder)) open(folder)
    },
    take() {
      const taken = all || folders.size >= mostFolders ? 'all' : dirty
      dirty = new Set()
      if (all) {
        all = false
        for (const folder of new Set([...files].map((path) => dirname(path)))) if (!folders.has(folder)) open(folder)
      }
      return taken
    },
    close: lost,
  }
}
