/** The work tree in a few lines. */
import { isSecret } from './secrets.ts'

/** Lines at most; the rest is a count. */
const mostEntries = 40

/**
 * Every file when they are few; else the top of the tree, folders first with how many files are in them, and folders
 * opened one level at a time while there is room. Undefined for an empty tree. Deterministic.
 */
export function listTree(files: readonly string[]): string | undefined {
  const shown = files.filter((path) => !isSecret(path))
  if (shown.length === 0) return undefined
  if (shown.length <= mostEntries) return shown.join('\n')

  let entries = children('', shown)
  for (;;) {
    const wider = entries.flatMap((entry) => (entry.files === undefined ? [entry] : children(entry.path, entry.files)))
    if (wider.length > mostEntries || wider.length === entries.length) break
    entries = wider
  }
  const lines = entries.map(({ path, files }) => (files === undefined ? path : `${path} (${files.length} files)`))
  const rest = lines.length - mostEntries
  return rest <= 0 ? lines.join('\n') : [...lines.slice(0, mostEntries), `… and ${rest} more`].join('\n')
}

interface Entry {
  /** A folder's ends in `/`. */
  readonly path: string
  /** What lies under a folder. */
  readonly files?: readonly string[]
}

function children(folder: string, files: readonly string[]): Entry[] {
  const folders = new Map<string, string[]>()
  const plain: Entry[] = []
  for (const path of files) {
    const slash = path.indexOf('/', folder.length)
    if (slash < 0) plain.push({ path })
    else {
      const inner = path.slice(0, slash + 1)
      const inside = folders.get(inner)
      if (inside === undefined) folders.set(inner, [path])
      else inside.push(path)
    }
  }
  return [...[...folders].map(([path, inside]) => ({ path, files: inside })), ...plain]
}
