/** Which files a task speaks of. */
import type { Workspace } from '../../sandbox/index.ts'
import { ripgrep } from '../files.ts'
import { isSecret } from './secrets.ts'

/** More files than this a task does not name; a pasted log does. */
const mostFiles = 20
/** Identifiers that are looked up; each is an alternative of one regular expression. */
const mostSymbols = 40

/**
 * The files that the task names, in the order in which it names them, then those that alone define a symbol it names.
 * `tree` is the list of the work tree's files. A path counts in any usual spelling (`./`, quotes, backticks, `@path`,
 * `path:12`, `path:10-40`, absolute inside the root, a trace's line); a bare file name when only one file has it.
 * Secrets are left out. Deterministic.
 */
export async function filesNamed(task: string, tree: readonly string[], workspace: Workspace): Promise<string[]> {
  const found = new Set<string>()
  for (const candidate of pathCandidates(task)) {
    const path = (await existing(candidate, workspace)) ?? onlyFileCalled(candidate, tree)
    if (path !== undefined && !isSecret(path)) found.add(path)
    if (found.size >= mostFiles) return [...found]
  }
  for (const path of await definers(symbolCandidates(task), workspace.root, tree)) {
    if (!isSecret(path)) found.add(path)
    if (found.size >= mostFiles) break
  }
  return [...found]
}

/** Words that could be a path, without what stands around them. Addresses of the web are none. */
function pathCandidates(task: string): string[] {
  const quoted = [...task.matchAll(/`([^`\n]+)`|"([^"\n]+)"|'([^'\n]+)'/g)].map((match) => ({
    at: match.index,
    text: match[1] ?? match[2] ?? match[3] ?? '',
  }))
  const words = [...task.matchAll(/[^\s`"'<>|]+/g)].map((match) => ({ at: match.index, text: match[0] }))
  return [...quoted, ...words]
    .sort((a, b) => a.at - b.at)
    .filter(({ text }) => !text.includes('://'))
    .map(({ text }) => stripped(text))
    .filter((text) => /[./]/.test(text) && text.length < 1000)
}

/** Takes off punctuation, `@`, and a place in the file (`:12`, `:12:5`, `:10-40`, `#L10`, `(12,5)`). */
function stripped(word: string): string {
  return word
    .trim()
    .replace(/^[([{@]+/, '')
    .replace(/[)\]},;:!?]+$/, '')
    .replace(/\.+$/, '')
    .replace(/(:\d+(-\d+)?(:\d+)?|#L\d+(-L?\d+)?|\(\d+(,\d+)?)$/, '')
}

async function existing(candidate: string, workspace: Workspace): Promise<string | undefined> {
  try {
    const path = workspace.relative(candidate)
    return (await workspace.stat(path))?.kind === 'file' ? path : undefined
  } catch {
    // Outside of the root, or no path at all.
    return undefined
  }
}

/** A name, or the end of a path (`pkg/a.ts` for `src/pkg/a.ts`), that fits exactly one file. */
function onlyFileCalled(candidate: string, tree: readonly string[]): string | undefined {
  const tail = candidate.replace(/^(\.?\/)+/, '')
  if (tail === '') return undefined
  const matches = tree.filter((path) => path === tail || path.endsWith(`/${tail}`))
  return matches.length === 1 ? matches[0] : undefined
}

/** Words that look like names of code: marked as such, called, announced by a keyword, or with an inner _ or capital. */
function symbolCandidates(task: string): string[] {
  const shapes = [
    /`([A-Za-z_$][\w$]*)(?:\(\))?`/g,
    /\b([A-Za-z_$][\w$]*)\(/g,
    /\b(?:function|method|class|type|interface|struct|enum|trait|constant|variable)\s+([A-Za-z_$][\w$]*)/gi,
    /\b([a-z][a-z0-9]*_\w+)\b/g,
    /\b([a-z]+[A-Z]\w*)\b/g,
    /\b([A-Z][a-z0-9]+[A-Z]\w*)\b/g,
    /\b([a-zA-Z_]\w*)\s+(?:function|method|class)\b/g,
  ]
  const found = shapes.flatMap((shape) =>
    [...task.matchAll(shape)].map((match) => ({ at: match.index, name: match[1] ?? '' })),
  )
  const names = found.sort((a, b) => a.at - b.at).map(({ name }) => name)
  return [...new Set(names)].filter((name) => name.length >= 3).slice(0, mostSymbols)
}

/** What stands before the name where it is defined, in the usual languages; `const x =` only at the start of a line. */
const definition = String.raw`(?:\b(?:def|class|function\*?|fn|func(?:\s*\([^)]*\))?|interface|type|enum|struct|trait|module|record|object|protocol|macro_rules!)|^\s*(?:export\s+)?(?:const|let|var|val|static))\s+`

/** Files that quote definitions, and define nothing. */
const prose = /\.(?:md|mdx|markdown|rst|adoc|txt)$/i

/** For each name, the file that defines it, when only one does. */
async function definers(names: readonly string[], root: string, tree: readonly string[]): Promise<string[]> {
  if (names.length === 0) return []
  const either = names.map((name) => name.replaceAll('$', String.raw`\$`)).join('|')
  const pattern = `${definition}(?:${either})(?:[^\\w$]|$)`
  const flags = ['--no-config', '--no-ignore-global', '--no-require-git', '--hidden', '--glob', '!.git']
  const shape = ['--only-matching', '--no-line-number', '--with-filename', '--null', '--no-heading', '--color', 'never']
  const output = await ripgrep(root, [...flags, ...shape, '--max-filesize', '1M', '-e', pattern, './'])
  const listed = new Set(tree)
  const definedIn = new Map<string, Set<string>>()
  for (const line of output.split('\n')) {
    const [file, match] = line.split('\0')
    const path = file?.replace(/^\.\//, '')
    if (path === undefined || match === undefined || !listed.has(path) || prose.test(path)) continue
    const name = names.find((candidate) => new RegExp(`\\s${candidate.replaceAll('$', '\\$')}[^\\w$]?$`).test(match))
    if (name !== undefined) definedIn.set(name, (definedIn.get(name) ?? new Set()).add(path))
  }
  return names.flatMap((name) => {
    const files = definedIn.get(name)
    return files?.size === 1 ? [...files] : []
  })
}
