/** Where files went that are not at their place any more: others that hold the very same bytes. */
import type { Workspace } from '../../../sandbox/index.ts'
import { fingerprint } from '../../../tools/index.ts'
import { listFiles } from '../../files.ts'
import { isSecret } from '../secrets.ts'

/** So many files of a fitting size are read at most. */
const mostRead = 200

/**
 * Old path → new path, for those of `gone` whose text is at a path now that the model does not know (`known`). What git
 * ignores is not looked at, and a file with the line ends of Windows is not found.
 */
export async function movedFiles(
  gone: ReadonlyMap<string, { readonly fingerprint: string; readonly text: string | undefined }>,
  known: ReadonlySet<string>,
  workspace: Workspace,
): Promise<ReadonlyMap<string, string>> {
  const sizes = new Set<number>()
  const wanted = new Map<string, string>()
  for (const [path, { fingerprint: mark, text }] of gone) {
    if (mark === '' || text === undefined || text === '') continue
    sizes.add(Buffer.byteLength(text))
    wanted.set(mark, path)
  }
  const moved = new Map<string, string>()
  if (wanted.size === 0) return moved
  let reads = 0
  // Without the list nothing is found, which is no harm: that the file is gone is told all the same.
  for (const path of await listFiles(workspace.root).catch(() => [])) {
    if (known.has(path) || isSecret(path)) continue
    try {
      const stats = await workspace.stat(path)
      if (stats?.kind !== 'file' || !sizes.has(stats.bytes)) continue
      if (++reads > mostRead) break
      const from = wanted.get(fingerprint(await workspace.read(path)))
      if (from !== undefined && !moved.has(from)) moved.set(from, path)
    } catch {
      // Gone again, or not ours to read: not the one that is looked for.
    }
  }
  return moved
}
