/** The tool `outline`: what a file defines, or the files of a folder, by signatures with their lines. */
import * as z from 'zod'
import { languageOf, renderOutline } from './code/open.ts'
import { missing, openText } from './files.ts'
import { charLimit, failure, settle } from './result.ts'
import { listFiles } from './ripgrep.ts'
import { toLf } from './text/lines.ts'
import type { Tool, ToolContext } from './types.ts'

const usualChars = 12_000
/** Files of a folder that are looked at. */
const mostFiles = 100

const input = z.object({ path: z.string().describe('file or folder') })

export const outlineTool: Tool<z.infer<typeof input>> = {
  name: 'outline',
  description: 'Signatures with lines, of a file or of all in a folder.',
  input,
  effects: ({ path }) => [{ kind: 'read', path }],
  run: ({ path }, context) =>
    settle(context.signal, async () => {
      const { workspace, signal } = context
      if (context.code === undefined) return failure('io', 'Outlines cannot be made here: use read or search.')
      const place = workspace.relative(path) || '.'
      const kind = place === '.' ? 'directory' : (await workspace.stat(place))?.kind
      if (kind === undefined) throw await missing(workspace, place)
      const chars = charLimit(context, usualChars)
      const details = (entries: number) => ({ kind: 'list', path: place, entries }) as const
      if (kind !== 'directory') {
        const lines = await outlineOf(place, context)
        if (lines === undefined)
          return failure(
            'no-match',
            `There is no outline of ${place}: no grammar for it, or it takes too long to parse. Use read.`,
          )
        return { ok: true, content: cut(`${place}\n${lines || 'defines nothing'}`, chars), details: details(1) }
      }
      const listed = await listFiles({ cwd: workspace.root, path: place, signal })
      if (!listed.ok) return failure(listed.reason === 'aborted' ? 'aborted' : 'io', listed.message)
      const files = listed.files.filter((file) => languageOf(file) !== undefined)
      const parts: string[] = []
      let used = 0
      for (const file of files.slice(0, mostFiles)) {
        signal.throwIfAborted()
        // A file that cannot be read is one that is not shown.
        const lines = await outlineOf(file, context).catch(() => undefined)
        if (lines === undefined || lines === '') continue
        const part = `${file}\n${lines}`
        if (used + part.length > chars && parts.length > 0) break
        parts.push(cut(part, chars))
        used += part.length + 2
      }
      if (parts.length === 0) return failure('no-match', `Nothing in ${place} has an outline. Use list.`)
      const more =
        files.length > parts.length ? [`… of ${files.length} files; outline a smaller folder for the others.`] : []
      return { ok: true, content: [...parts, ...more].join('\n\n'), details: details(parts.length) }
    }),
}

async function outlineOf(path: string, { workspace, code }: ToolContext): Promise<string | undefined> {
  const { text } = await openText(workspace, path)
  const entries = await code?.outline(path, toLf(text))
  return entries === undefined ? undefined : renderOutline(entries)
}

function cut(text: string, chars: number): string {
  if (text.length <= chars) return text
  return `${text.slice(0, text.lastIndexOf('\n', chars))}\n… cut here: read the file for the rest.`
}
