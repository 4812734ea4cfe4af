/** The tool `write`: a whole file. */
import * as z from 'zod'
import { inTurn } from './edit/lock.ts'
import { endLines, mergeLines } from './edit/merge.ts'
import { refuseStale } from './edit/stale.ts'
import { applyPlan } from './edit/transaction.ts'
import { findText, type OpenFile } from './files.ts'
import { failure, settle } from './result.ts'
import { plainUtf8 } from './text/encoding.ts'
import { countLines, joinLines, mainEol, splitLines, toLf, withEol } from './text/lines.ts'
import type { Tool } from './types.ts'

const input = z.object({ path: z.string(), content: z.string() })

export const writeTool: Tool<z.infer<typeof input>> = {
  name: 'write',
  description: 'Write a whole file, new or in place of the old one. To change part of a file use edit.',
  input,
  effects: ({ path }) => [{ kind: 'write', path }],
  run: ({ path, content }, context) =>
    settle(context.signal, () =>
      inTurn(context.workspace.root, async () => {
        const file = await findText(context.workspace, path)
        const text = file ? likeBefore(file, content) : content
        if (file && text === file.text) return failure('no-change', `${file.path} has this content already.`)
        if (file) refuseStale(context, file)
        const planned = {
          path: context.workspace.relative(path),
          before: file,
          text,
          format: file?.format ?? plainUtf8,
        }
        const [change] = await applyPlan(context, [planned])
        const lines = countLines(text)
        const what = file
          ? `Replaced ${planned.path} (${lines} lines, was ${countLines(file.text)})`
          : `Made ${planned.path} (${lines} lines)`
        return { ok: true, content: `${what}.`, details: { kind: 'change', ...change! } }
      }),
    ),
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
