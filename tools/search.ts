/** The tool `search`: lines that match, by ripgrep. */
import * as z from 'zod'
import { missing } from './files.ts'
import { charLimit, failure, settle } from './result.ts'
import { ripgrep, visibleFiles } from './ripgrep.ts'
import type { Tool, ToolResult } from './types.ts'

const maxMatches = 100
const maxChars = 12_000
const maxLineChars = 300

const input = z.object({
  pattern: z.string().describe('regular expression'),
  path: z.string().optional().describe('folder or file; default: all'),
  glob: z.string().optional().describe('such as *.ts'),
  literal: z.boolean().optional().describe('pattern is plain text'),
})

export const searchTool: Tool<z.infer<typeof input>> = {
  name: 'search',
  description: 'Find lines in files.',
  input,
  effects: ({ path }) => [{ kind: 'read', path: path || '.' }],
  run: ({ pattern, path, glob, literal }, context) =>
    settle(context.signal, async () => {
      const { workspace, signal } = context
      if (pattern === '') return failure('bad-arguments', 'pattern is empty: give the text to find.')
      if (/[\0\n]/.test(pattern + (glob ?? ''))) return failure('bad-arguments', 'pattern must be one line of text.')
      const place = workspace.relative(path || '.') || '.'
      const info = place === '.' ? { kind: 'directory' } : await workspace.stat(place)
      if (!info) throw await missing(workspace, place)
      if (info.kind !== 'directory' && info.kind !== 'file') {
        return failure('not-a-file', `${place} is neither a folder nor a file: give one of these.`)
      }
      const run = await ripgrep(
        [
          '--line-number',
          '--no-heading',
          '--with-filename',
          '--null',
          '--sort=path',
          '--smart-case',
          ...(literal ? ['--fixed-strings'] : []),
          ...(glob ? [`--glob=${glob}`] : []),
          // After the glob of the model: the last one that matches decides.
          ...visibleFiles,
          `--regexp=${pattern}`,
          '--',
          `./${place}`,
        ],
        { cwd: workspace.root, signal },
      )
      if (run.ok) return showMatches(pattern, run.output, run.cut, charLimit(context, maxChars))
      switch (run.reason) {
        case 'missing':
          return failure('io', run.message)
        case 'aborted':
          return failure('aborted', 'Stopped.')
        case 'failed':
          return failure('bad-arguments', `${run.message}\nTo search for plain text set literal: true.`)
        default:
          return run.reason satisfies never
      }
    }),
}

/** Grouped by file, each line with its number. */
function showMatches(pattern: string, output: string, cut: 'no' | 'output' | 'time', chars: number): ToolResult {
  const found = output.split('\n').flatMap((line) => {
    const [, file, number, text] = /^(?:\.\/)*([^\0]+)\0(\d+):(.*)$/s.exec(line) ?? []
    return file && number && text !== undefined ? [{ file, number, text }] : []
  })
  const shown: string[] = []
  let current = ''
  let used = 0
  let count = 0
  for (const { file, number, text } of found.slice(0, maxMatches)) {
    if (used > chars) break
    const line = text.replace(/\r$/, '')
    const told = `${number}: ${line.length > maxLineChars ? `${line.slice(0, maxLineChars)}…` : line}`
    const lines = file === current ? [told] : [file, told]
    shown.push(...lines)
    current = file
    used += lines.join('\n').length + 1
    count += 1
  }
  const left = found.length - count
  if (left > 0)
    shown.push(`… and ${left}${cut === 'no' ? '' : ' or more'} matches not shown: narrow the search with path or glob.`)
  if (cut === 'time') shown.push('The search took too long and was stopped: narrow it with path or glob.')
  return {
    ok: true,
    content: shown.length === 0 ? 'No matches.' : shown.join('\n'),
    details: { kind: 'search', pattern, matches: found.length },
  }
}
