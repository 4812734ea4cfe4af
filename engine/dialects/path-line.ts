/** The spellings in which models name the file that a fence or block belongs to. */
import { fits, isExtension, isLanguage } from './fence-language.ts'

const label =
  /^(?:(?:new|updated|modified|complete|full|corrected|fixed)\s+)?(?:file\s?name|file\s?path|file|path)\s*:\s*/i
const remark = /\s+\((?:new|new file|updated|modified|changed|fixed|corrected|complete|full file|unchanged)\)$/i
const bare = new Set(
  'Makefile makefile Dockerfile Containerfile Procfile Gemfile Rakefile Jenkinsfile Vagrantfile Justfile justfile LICENSE README CHANGELOG'.split(
    ' ',
  ),
)
/** Names of things that look like files. */
const things =
  /^(?:(?:Node|Next|Nuxt|Vue|React|Express|Three|Chart|D3|Ember|Backbone|Alpine)\.js|ASP\.NET|\.NET|e\.g|i\.e)$/i

/**
 * The path that a line outside of a fence names, when the line is nothing but that: `x.py`, `**x.py**`, `` `x.py` ``,
 * `### x.py`, `File: x.py`, `- x.py:`, `1. **File:** x.py (new)`.
 */
export function pathLine(line: string, files: readonly string[]): string | undefined {
  if (line.length > 300) return undefined
  const text = line.trim().replace(/^(?:#{1,6}|[-*+]|\d{1,3}[.)])\s+/, '')
  const marked = /[`*]/.test(text)
  const name = unwrap(text)
  return isPath(name, files, marked) ? clean(name, files) : undefined
}

/** The path in a comment that is a whole line: `# x.py`, `// File: x.py`, `<!-- x.html -->`. */
export function commentPath(line: string, files: readonly string[]): string | undefined {
  if (line.length > 300 || line.startsWith('#!')) return undefined
  const inner = /^\s*(?:#|\/\/|--|;|%|\/\*|<!--)\s*(.*?)\s*(?:\*\/|-->)?\s*$/.exec(line)?.[1]
  if (inner === undefined) return undefined
  const name = unwrap(inner)
  return isPath(name, files, false) ? clean(name, files) : undefined
}

/** Language and path in the text after an opening fence: `python x.py`, `python:x.py`, `x.py`, `py title="x.py"`. */
export function readInfo(
  info: string,
  files: readonly string[],
): { readonly language: string; readonly path?: string } {
  const words = info
    .trim()
    .replace(/^\{|\}$/g, '')
    .split(/\s+/)
  const first = words[0] ?? ''
  const colon = /^([^:]*):(.+)$/.exec(first)
  const language = (colon === null ? first : colon[1]!).replace(/^\./, '')
  const named = isLanguage(language) || language === ''
  const candidates = [...(colon === null ? [] : [colon[2]!]), ...(named ? [] : [first]), ...words.slice(1)]
  for (const candidate of candidates) {
    const name = unwrap(candidate.replace(/^(?:title|filename|file|path|name)=/i, ''))
    if (isPath(name, files, false))
      return { language: candidate === first ? '' : language.toLowerCase(), path: clean(name, files) }
  }
  return { language: language.toLowerCase() }
}

/** The one file in play that a heading or a sentence ending in a colon speaks of. */
export function mentionedFile(line: string, files: readonly string[]): string | undefined {
  const text = line.trim()
  if (!/:\**$/.test(text) && !/^(?:#|\*\*)/.test(text)) return undefined
  const words = new Set(text.split(/[\s`*"'(),:]+/).map((word) => word.replace(/^\.\//, '')))
  const named = files.filter((file) => words.has(file) || words.has(baseName(file)))
  return named.length === 1 ? named[0] : undefined
}

/** A path that may stand as the first line in a fence: one in play, or one that fits the fence's language. */
export function fitsFence(path: string, language: string, files: readonly string[]): boolean {
  return files.includes(path) || fits(path, language) === true
}

function unwrap(text: string): string {
  let name = text
  for (let round = 0; round < 6; round += 1) {
    const before = name
    name = name
      .replace(label, '')
      .replace(remark, '')
      .replace(/:$/, '')
      .replace(/^(\*\*|__|["'`*])(.+)\1$/, '$2')
      .replace(/^\*\*(?:(?:new )?file(?:name)?|path):?\*\*:?\s*/i, '')
      .trim()
    if (name === before) break
  }
  return name
}

function isPath(name: string, files: readonly string[], marked: boolean): boolean {
  if (name === '') return false
  const plain = name.replace(/^\.\//, '')
  if (files.includes(plain)) return true
  if (name.length > 200 || /[\s<>|"'`*?{}=;,\\^!\u0000-\u001f]/.test(name) || name.includes('://')) return false
  if (/[/.]$/.test(name) || /^[-:(@]/.test(name) || things.test(name) || /^[\d.]+$/.test(name)) return false
  const base = baseName(plain)
  if (bare.has(base)) return true
  if (/[()]/.test(base)) return false
  // `os.path` is no file and `app.py` is; in a folder any extension will do.
  const extension = /^\.?[^.].*\.([A-Za-z][\w+-]{0,11})$/.exec(base)?.[1]
  if (extension !== undefined) return isExtension(extension) || plain.includes('/')
  if (/^\.[A-Za-z][\w-]+$/.test(base)) return true
  return marked && /^[\w.-]+(?:\/[\w.-]+)+$/.test(plain)
}

/** Without `./`; a name without folder is the one file in play that has this name. */
function clean(name: string, files: readonly string[]): string {
  const path = name.replace(/^\.\//, '')
  if (files.includes(path) || path.includes('/')) return path
  const same = files.filter((file) => baseName(file) === path)
  return same.length === 1 ? same[0]! : path
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
