/** The tool `list`: the files of the work tree that git would not ignore. */
import * as z from 'zod'
import { missing } from './files.ts'
import { failure, settle } from './result.ts'
import { listFiles } from './ripgrep.ts'
import type { Tool } from './types.ts'

const maxEntries = 200

const input = z.object({
  path: z.string().optional().describe('folder; default: all'),
  depth: z.int().optional().describe('levels of folders to open'),
})

export const listTool: Tool<z.infer<typeof input>> = {
  name: 'list',
  description: 'List files, without those that .gitignore names.',
  input,
  effects: ({ path }) => [{ kind: 'read', path: path || '.' }],
  run: ({ path, depth }, { workspace, signal }) =>
    settle(signal, async () => {
      const folder = workspace.relative(path || '.') || '.'
      const info = folder === '.' ? { kind: 'directory' } : await workspace.stat(folder)
      if (!info) throw await missing(workspace, folder)
      if (info.kind !== 'directory') return failure('not-a-file', `${folder} is not a folder. Use read to see a file.`)
      const listed = await listFiles({ cwd: workspace.root, path: folder, signal })
      if (!listed.ok && listed.reason !== 'missing')
        return failure(listed.reason === 'aborted' ? 'aborted' : 'io', listed.message)
      // Without ripgrep: this folder alone, ignored files too.
      const files = listed.ok ? listed.files : (await workspace.list(folder)).map((name) => join(folder, name))
      const levels = depth && depth > 0 ? depth : Number.POSITIVE_INFINITY
      const { entries, left } = fold(files, folder === '.' ? 0 : folder.split('/').length, levels)
      const more = left > 0 || (listed.ok && listed.cut) ? [`… and ${left || 'more'} not shown: list a folder.`] : []
      const shown = entries.length === 0 ? [`${folder} has no files.`] : entries
      return {
        ok: true,
        content: [...shown, ...more].join('\n'),
        details: { kind: 'list', path: folder, entries: entries.length },
      }
    }),
}

const join = (folder: string, name: string): string => (folder === '.' ? name : `${folder}/${name}`)

/** The deepest view, down to `levels` below the folder, that does not pass the limit; folders not opened tell how many files they hold. */
function fold(files: readonly string[], base: number, levels: number): { entries: string[]; left: number } {
  const deepest = files.reduce((most, file) => Math.max(most, file.split('/').length - base), 1)
  for (let depth = Math.min(levels, deepest); depth >= 1; depth--) {
    const entries = entriesAt(files, base + depth)
    if (entries.length <= maxEntries) return { entries, left: 0 }
    if (depth === 1) return { entries: entries.slice(0, maxEntries), left: entries.length - maxEntries }
  }
  return { entries: [], left: 0 }
}

function entriesAt(files: readonly string[], depth: number): string[] {
  const folders = new Map<string, number>()
  const entries: string[] = []
  for (const file of files) {
    const parts = file.split('/')
    if (parts.length <= depth || file.endsWith('/')) {
      entries.push(file)
      continue
    }
    const folder = parts.slice(0, depth).join('/')
    if (!folders.has(folder)) entries.push(folder)
    folders.set(folder, (folders.get(folder) ?? 0) + 1)
  }
  return entries.map((entry) => {
    const count = folders.get(entry)
    return count === undefined ? entry : `${entry}/ (${count} ${count === 1 ? 'file' : 'files'})`
  })
}
