/** What `.cachalotignore` files leave: written like a `.gitignore`, for the folder that they stand in and all below. */
import { existsSync, statSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { listFiles, ripgrep } from '../../files.ts'

const fileName = '.cachalotignore'
/** So many folders above the work tree, and files of this name in it, are looked at. */
const most = 64

/** The paths of `tree` (relative to `root`) that none of them names. Also those above `root` count, up to the repository's top. */
export async function notIgnored(root: string, tree: readonly string[]): Promise<ReadonlySet<string>> {
  let left = new Set(tree)
  const nested = tree.filter((path) => basename(path) === fileName).map((path) => join(root, dirname(path)))
  // Also one that git ignores itself, which the list has not.
  for (const folder of new Set([...above(root), root, ...nested.slice(0, most)])) {
    if (left.size === 0 || !isFile(join(folder, fileName))) continue
    // Of a folder above only the part that is the work tree; of one inside all of it.
    const isNested = folder.startsWith(`${root}/`)
    const part = isNested ? '' : relative(folder, root)
    const inside = isNested ? `${relative(root, folder)}/` : ''
    const shown = await shownIn(folder, part)
    left = new Set(
      [...left].filter((path) => !path.startsWith(inside) || shown.has(join(part, path.slice(inside.length)))),
    )
  }
  return left
}

/** Those of the paths that are there and left out by an ignore file by now: one of ours, or git's where it does not track them. */
export async function nowIgnored(root: string, paths: readonly string[]): Promise<ReadonlySet<string>> {
  if (paths.length === 0) return new Set()
  const listed = await notIgnored(root, await listFiles(root))
  return new Set(paths.filter((path) => !listed.has(path) && existsSync(join(root, path))))
}

/** A pipe by this name would be waited for. */
const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true

/** The folders above a work tree that is a part of a git repository, up to its top, the highest first. */
function above(root: string): string[] {
  const folders: string[] = []
  for (let folder = root; !existsSync(join(folder, '.git')); folder = dirname(folder)) {
    if (dirname(folder) === folder || folders.length === most) return []
    folders.unshift(dirname(folder))
  }
  return folders
}

/** Files of a folder, relative to it, that its ignore file leaves; `below`: only in this part of it. */
async function shownIn(folder: string, below: string): Promise<ReadonlySet<string>> {
  const args = [
    '--files',
    '--null',
    '--hidden',
    '--no-config',
    '--no-ignore',
    '--glob',
    '!.git',
    '--glob',
    '!node_modules',
  ]
  const output = await ripgrep(folder, [...args, '--ignore-file', join(folder, fileName), `./${below}`])
  return new Set(output.split('\0').map((path) => path.replace(/^\.\//, '')))
}
