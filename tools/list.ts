/** The tool `list`: the files of the work tree that git would not ignore. */
import * as z from 'zod'
import { missing } from './files.ts'
import { charLimit, failure, settle } from './result.ts'
import { listFiles } from './ripgrep.ts'
import { foldTree } from './text/fold-tree.ts'
import type { Tool } from './types.ts'

const maxEntries = 200
const usualChars = 8000

const input = z.object({
  path: z.string().optional().describe('folder; default: all'),
  depth: z.int().optional().describe('levels of folders'),
})

export const listTool: Tool<z.infer<typeof input>> = {
  name: 'list',
  description: 'List files that .gitignore does not name.',
  input,
  effects: ({ path }) => [{ kind: 'read', path: path || '.' }],
  run: ({ path, depth }, context) =>
    settle(context.signal, async () => {
      const { workspace, signal } = context
      const folder = workspace.relative(path || '.') || '.'
      const info = folder === '.' ? { kind: 'directory' } : await workspace.stat(folder)
      if (!info) throw await missing(workspace, folder)
      if (info.kind !== 'directory') return failure('not-a-file', `${folder} is not a folder. Use read to see a file.`)
      const listed = await listFiles({ cwd: workspace.root, path: folder, signal })
      if (!listed.ok && listed.reason !== 'missing')
        return failure(listed.reason === 'aborted' ? 'aborted' : 'io', listed.message)
      // Without ripgrep: this folder alone, ignored files too.
      const files = listed.ok ? listed.files : (await workspace.list(folder)).map((name) => join(folder, name))
      const { entries, left } = foldTree(files, {
        folder,
        depth,
        maxEntries: Math.min(maxEntries, Math.floor(charLimit(context, usualChars) / 40)),
      })
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
