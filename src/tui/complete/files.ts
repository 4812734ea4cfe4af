/** The files of a work tree for completion: tracked and untracked, without what git ignores. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { hostGit } from '../../../sandbox/index.ts'

const staleMs = 5000
/** Without git, this many files are looked at: completion is a convenience, not a search. */
const mostWithoutGit = 20_000

export interface FileList {
  /** What is known now; asks for a fresh list when that is old. */
  paths(): readonly string[]
  /** The list once it has been read. */
  ready(): Promise<readonly string[]>
}

/** `changed` is called when a newer list has come. */
export function openFileList(root: string, changed: () => void = () => undefined): FileList {
  let known: readonly string[] = []
  let readAt = 0
  let reading: Promise<readonly string[]> | undefined
  const refresh = (): Promise<readonly string[]> => {
    reading ??= list(root)
      .then((paths) => {
        known = paths
        changed()
        return paths
      })
      .finally(() => {
        readAt = Date.now()
        reading = undefined
      })
    return reading
  }
  return {
    paths() {
      if (Date.now() - readAt > staleMs) void refresh()
      return known
    },
    ready: refresh,
  }
}

async function list(root: string): Promise<string[]> {
  try {
    const stdout = await hostGit(root, ['ls-files', '-z', '--cached', '--others', '--exclude-standard'])
    return [...new Set(stdout.split('\0').filter((path) => path !== ''))].sort()
  } catch {
    return walk(root) // no git, or no repository here
  }
}

async function walk(root: string): Promise<string[]> {
  const found: string[] = []
  const folders = ['']
  for (let folder = folders.shift(); folder !== undefined && found.length < mostWithoutGit; folder = folders.shift()) {
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory() && !/^(\.git|node_modules)$/.test(entry.name)) folders.push(path)
      else if (entry.isFile()) found.push(path)
    }
  }
  return found.sort()
}
