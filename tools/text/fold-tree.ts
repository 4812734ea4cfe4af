/** Shows as much of a tree of files as fits: small folders open, large ones as a line that counts their files. */

interface Folder {
  readonly path: string
  readonly depth: number
  /** Files and folders right inside, by name. */
  readonly children: Map<string, Folder | 'file'>
  files: number
}

/**
 * `files` are paths with `/`, all below `folder` (`.` for the root of them); a trailing `/` makes one a folder. Opens the
 * folder with the fewest entries first, down to `depth` levels, while no more than `maxEntries` are shown. `left`: entries
 * of the folder itself that did not fit.
 */
export function foldTree(
  files: readonly string[],
  options: { readonly folder: string; readonly depth?: number; readonly maxEntries: number },
): { entries: string[]; left: number } {
  const root = treeOf(files, options.folder)
  const levels = options.depth && options.depth > 0 ? options.depth : Number.POSITIVE_INFINITY
  const open = new Set([root])
  let shown = root.children.size
  const closed = foldersIn(root)
  while (closed.length > 0) {
    const next = closed.reduce((best, folder) => (folder.children.size < best.children.size ? folder : best))
    if (shown - 1 + next.children.size > options.maxEntries) break
    closed.splice(closed.indexOf(next), 1)
    if (next.depth >= levels) continue
    open.add(next)
    shown += next.children.size - 1
    closed.push(...foldersIn(next))
  }
  const entries = render(root, open)
  return { entries: entries.slice(0, options.maxEntries), left: Math.max(0, entries.length - options.maxEntries) }
}

const foldersIn = (folder: Folder): Folder[] => [...folder.children.values()].filter((child) => child !== 'file')

function treeOf(files: readonly string[], folder: string): Folder {
  const prefix = folder === '.' ? '' : `${folder}/`
  const root: Folder = { path: prefix, depth: 0, children: new Map(), files: 0 }
  for (const file of files) {
    let here = root
    here.files += 1
    const names = file.slice(prefix.length).split('/')
    const name = names.pop()!
    for (const part of names) {
      const known = here.children.get(part)
      const inner: Folder =
        known && known !== 'file'
          ? known
          : { path: `${here.path}${part}/`, depth: here.depth + 1, children: new Map(), files: 0 }
      here.children.set(part, inner)
      here = inner
      here.files += name === '' ? 0 : 1
    }
    if (name !== '') here.children.set(name, 'file')
  }
  return root
}

function render(folder: Folder, open: ReadonlySet<Folder>): string[] {
  return [...folder.children].flatMap(([name, child]) => {
    if (child === 'file') return [folder.path + name]
    if (open.has(child)) return render(child, open)
    return [child.files === 0 ? child.path : `${child.path} (${child.files} ${child.files === 1 ? 'file' : 'files'})`]
  })
}
