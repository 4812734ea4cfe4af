/** The tool `symbols`: where a name is defined and where it is used, by grammar: not in comments, not in texts. */
import * as z from 'zod'
import { languageOf } from './code/open.ts'
import type { OutlineEntry } from './code/outline-text.ts'
import { openText } from './files.ts'
import { charLimit, failure, settle } from './result.ts'
import { ripgrep, visibleFiles } from './ripgrep.ts'
import { toLf } from './text/lines.ts'
import type { Tool, ToolContext } from './types.ts'

const usualChars = 8000
/** Files with the word in them that are parsed. */
const mostFiles = 300
const mostLines = 60
const maxLineChars = 200

const input = z.object({ name: z.string() })

export const symbolsTool: Tool<z.infer<typeof input>> = {
  name: 'symbols',
  description: 'Where a name is defined and used in the code.',
  input,
  effects: () => [{ kind: 'read', path: '.' }],
  run: ({ name: asked }, context) =>
    settle(context.signal, async () => {
      if (context.code === undefined) return failure('io', 'Symbols cannot be found here: use search.')
      // `Class.method`, `Type::name` and `f()` are asked for by their last name.
      const name = /([\p{L}\p{N}_$]+)(?:\(.*)?$/u.exec(asked.trim())?.[1]
      if (name === undefined) return failure('bad-arguments', 'name must be one identifier, such as parseCall.')
      const files = await filesWith(name, context)
      if (typeof files !== 'object') return failure('io', files)
      const definitions: string[] = []
      const uses: string[] = []
      for (const path of files.slice(0, mostFiles)) {
        context.signal.throwIfAborted()
        const found = await inFile(path, name, context)
        definitions.push(...found.definitions)
        uses.push(...found.uses)
      }
      const matches = definitions.length + uses.length
      if (matches === 0)
        return failure('no-match', `No code names ${name}. Use search for words in comments and texts.`)
      const content = [
        ...section(`Defined`, definitions),
        ...section(`Used`, uses),
        ...(files.length > mostFiles ? [`… and ${files.length - mostFiles} files not looked at.`] : []),
      ].join('\n')
      const chars = charLimit(context, usualChars)
      const shown =
        content.length > chars ? `${content.slice(0, content.lastIndexOf('\n', chars))}\n… cut here.` : content
      return { ok: true, content: shown, details: { kind: 'search', pattern: name, matches } }
    }),
}

function section(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [`${title}: nowhere`]
  const more = lines.length > mostLines ? [`… and ${lines.length - mostLines} more`] : []
  return [`${title}:`, ...lines.slice(0, mostLines), ...more]
}

/** Files of a known language that have the word in them, by path; why not, where they cannot be listed. */
async function filesWith(name: string, { workspace, signal }: ToolContext): Promise<string[] | string> {
  const args = ['--files-with-matches', '--null', '--fixed-strings', ...visibleFiles, `--regexp=${name}`, '--', './']
  const run = await ripgrep(args, { cwd: workspace.root, signal })
  if (!run.ok) return run.message
  return run.output
    .split('\0')
    .map((file) => file.replace(/^(?:\.\/)+/, ''))
    .filter((file) => file !== '' && languageOf(file) !== undefined)
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

async function inFile(path: string, name: string, { workspace, code }: ToolContext) {
  const none = { definitions: [], uses: [] }
  // Gone since it was listed, a link outside, too large: nothing to be said of it.
  const file = await openText(workspace, path).catch(() => undefined)
  if (file === undefined) return none
  const text = toLf(file.text)
  const [outline, lines] = await Promise.all([code?.outline(path, text), code?.references(path, text, name)])
  const own = (outline ?? []).filter((entry: OutlineEntry) => entry.name === name)
  const rows = text.split('\n')
  const defined = new Set(own.map(({ line }) => line))
  return {
    definitions: own.map(({ line, signature }) => `${path}:${line}: ${signature}`),
    uses: (lines ?? [])
      .filter((line) => !defined.has(line))
      .map((line) => `${path}:${line}: ${(rows[line - 1] ?? '').trim().slice(0, maxLineChars)}`),
  }
}
