/** The tool `read`: a text file with line numbers, or a range of its lines. */
import * as z from 'zod'
import { openText } from './files.ts'
import { charLimit, failure, fingerprint, settle } from './result.ts'
import type { TextFormat } from './text/encoding.ts'
import { mainEol, toLf } from './text/lines.ts'
import type { Tool, ToolResult } from './types.ts'

/** What one call shows at most; the rest is reached by `from`. */
const maxLines = 2000
const maxChars = 32_000
const maxLineChars = 1000

const input = z.object({
  path: z.string(),
  from: z.int().optional().describe('first line, from 1'),
  to: z.int().optional().describe('last line'),
})

export const readTool: Tool<z.infer<typeof input>> = {
  name: 'read',
  description: 'Read a text file; lines are shown with their numbers.',
  input,
  effects: ({ path }) => [{ kind: 'read', path }],
  run: ({ path, from = 1, to }, context) =>
    settle(context.signal, async () => {
      const { workspace, seen } = context
      const file = await openText(workspace, path)
      seen?.set(file.path, fingerprint(file.bytes))
      const spelling = spellingOf(file.format, file.text)
      const range = { from: Math.max(1, from), to, chars: charLimit(context, maxChars) }
      return showLines(file.path, toLf(file.text), spelling, range)
    }),
}

interface Range {
  readonly from: number
  readonly to?: number
  /** No new line is begun beyond this many characters. */
  readonly chars: number
}

function showLines(path: string, text: string, spelling: string, range: Range): ToolResult {
  const { from, to = Number.POSITIVE_INFINITY, chars } = range
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  const total = lines.length
  if (total > 0 && from > total)
    return failure('bad-arguments', `${path} has ${total} lines; line ${from} is past the end.`)
  if (to < from) return failure('bad-arguments', `to (${to}) is before from (${from}).`)
  const shown: string[] = []
  let used = 0
  for (let n = from; n <= Math.min(to, total) && shown.length < maxLines && used < chars; n++) {
    const line = `${n}\t${cutLine(lines[n - 1]!)}`
    shown.push(line)
    used += line.length + 1
  }
  const last = from + shown.length - 1
  const rest = last < Math.min(to, total) ? [`(cut here: read on with from: ${last + 1})`] : []
  const extent = from === 1 && last >= total ? `${total} lines` : `lines ${from}-${last} of ${total}`
  return {
    ok: true,
    content: [`${path}: ${total === 0 ? 'empty' : extent}${spelling}`, ...shown, ...rest].join('\n'),
    details: {
      kind: 'read',
      path,
      fromLine: total === 0 ? 0 : from,
      toLine: total === 0 ? 0 : last,
      totalLines: total,
    },
  }
}

function cutLine(line: string): string {
  return line.length > maxLineChars ? `${line.slice(0, maxLineChars)}… (line cut, ${line.length} characters)` : line
}

/** How the file is spelled, where that is not plain UTF-8 with `\n`. */
function spellingOf({ encoding, bom }: TextFormat, text: string): string {
  const words = [
    ...(encoding === 'utf-8' ? (bom ? ['utf-8-bom'] : []) : [encoding]),
    ...(mainEol(text) === '\r\n' ? ['crlf'] : []),
  ]
  return words.length > 0 ? ` (${words.join(', ')})` : ''
}
