/** The tool `write`: a whole file. */
import * as z from 'zod'
import { endLines, mergeLines } from './edit/merge.ts'
import { refuseStale } from './edit/stale.ts'
import { changeFiles, type PlannedFile, previewFiles } from './edit/transaction.ts'
import { findText, type OpenFile } from './files.ts'
import { settle, ToolProblem } from './result.ts'
import { plainUtf8 } from './text/encoding.ts'
import { countLines, joinLines, mainEol, splitLines, toLf, withEol } from './text/lines.ts'
import type { Tool, ToolContext } from './types.ts'

const input = z.object({ path: z.string(), content: z.string() })

export const writeTool: Tool<z.infer<typeof input>> = {
  name: 'write',
  description: 'Write a whole file, new or old.',
  input,
  effects: ({ path }) => [{ kind: 'write', path }],
  preview: ({ path, content }, context) => previewFiles(async () => [await planWrite(context, path, content)]),
  run: ({ path, content }, context) =>
    settle(context.signal, async () => {
      const [change] = await changeFiles(context, async () => [await planWrite(context, path, content)])
      const { before, after } = change!
      const lines = countLines(after ?? '')
      const was = before === null ? '' : `, was ${countLines(before)}`
      return {
        ok: true,
        content: `${before === null ? 'Made' : 'Replaced'} ${change!.path} (${lines} lines${was}).`,
        details: { kind: 'change', ...change! },
      }
    }),
}

async function planWrite(context: ToolContext, path: string, content: string): Promise<PlannedFile> {
  const { workspace } = context
  const file = await findText(workspace, path)
  if (!file) return { path: workspace.relative(path), before: undefined, text: content, format: plainUtf8 }
  const text = likeBefore(file, content)
  if (text === file.text) throw new ToolProblem('no-change', `${file.path} has this content already.`)
  refuseStale(context, file)
  return { path: file.path, before: file, text, format: file.format }
}

/** The content with the line endings of the file, unless it brings its own `\r\n`. The byte order mark is kept by the format. */
function likeBefore(file: OpenFile, content: string): string {
  const body = content.replace(/^\ufeff/, '')
  if (body.includes('\r\n')) return body
  const eol = mainEol(file.text)
  if (withEol(file.text, eol) === file.text) return withEol(body, eol)
  // Mixed endings: lines that stay keep their own.
  const old = splitLines(file.text)
  const next = splitLines(body)
  const merged = mergeLines(
    old,
    old.map((line) => line.text),
    next.map((line) => line.text),
    (line) => line,
  )
  if (!merged) return body
  const ended = joinLines(endLines(merged, eol))
  return toLf(body).endsWith('\n') ? ended : ended.replace(/\r?\n$/, '')
}
