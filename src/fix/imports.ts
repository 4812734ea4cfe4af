/** What a file imports from other files of the work tree, as far as its text says so plainly. */
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

export interface Import {
  /** The file that is imported, relative to the work tree. */
  readonly path: string
  /** Names that the importing file has from it; `*` for all of them; none where it is only run. */
  readonly names: readonly string[]
}

const largest = 256 * 1024

/** Empty for what is no file of the work tree (a link may lead out of it), or too large to be code. `root`: absolute. */
export function textOf(root: string, path: string): string {
  const file = join(root, path)
  const stats = statSync(file, { throwIfNoEntry: false })
  if (stats?.isFile() !== true || stats.size > largest) return ''
  return realpathSync(file).startsWith(`${realpathSync(root)}/`) ? readFileSync(file, 'utf8') : ''
}

/** In the order of the file; each statement of which the file is found. */
export function importsOf(path: string, root: string): Import[] {
  const isFile = (candidate: string): boolean =>
    !candidate.startsWith('..') && statSync(join(root, candidate), { throwIfNoEntry: false })?.isFile() === true
  const text = textOf(root, path)
  return /\.pyi?$/.test(path) ? pythonImports(path, text, isFile) : scriptImports(path, text, isFile)
}

/** Where a name that a file imports, or hands on, is written: through files that only hand it on. */
export function homeOf(name: string, path: string, root: string, steps: number = 2): string {
  const from = importsOf(path, root).find(
    (one) => one.names.includes(name) || (one.names.includes('*') && speaksOf(textOf(root, one.path), name)),
  )
  if (from === undefined) return path
  return steps > 0 ? homeOf(name, from.path, root, steps - 1) : from.path
}

/** Whether a text holds the name as a word. */
export const speaksOf = (text: string, name: string): boolean =>
  new RegExp(`(?<![\\w$])${name.replaceAll('$', '\\$')}(?![\\w$])`).test(text)

type IsFile = (candidate: string) => boolean

const scriptEndings = ['', '.js', '.ts', '.mjs', '.mts', '.cjs', '.jsx', '.tsx', '/index.js', '/index.ts']
const statement =
  /(?:(?:import|export)\s([\w*{}\s,$]{1,600}?)(?<![\w$])from\s{0,20}|(?:const|let|var)\s([\w{}\s,:$]{1,600}?)=\s{0,20}(?:await\s{1,20})?(?:require|import)\(\s{0,20}|(?:import|require\()\s{0,20})['"](\.{1,2}\/[^'"\n]{1,200})['"]/g

function scriptImports(path: string, text: string, isFile: IsFile): Import[] {
  return [...text.matchAll(statement)].flatMap(([, taken, required, to = '']) => {
    const base = normalize(join(dirname(path), to))
    // What TypeScript imports as .js is written as .ts.
    const written = [...scriptEndings.map((ending) => base + ending), base.replace(/\.([mc]?)js$/, '.$1ts')]
    const found = written.find(isFile)
    return found === undefined ? [] : [{ path: found, names: namesIn(taken ?? required ?? '') }]
  })
}

const plain =
  /^[ \t]*(?:from[ \t]+([\w.]{1,200})[ \t]+import[ \t]+(?:\(([^)]{1,600})\)|([\w, *]{1,300}))|import[ \t]+([\w.]{1,200}))/gm

function pythonImports(path: string, text: string, isFile: IsFile): Import[] {
  return [...text.matchAll(plain)].flatMap(([, from = '', listed, line, whole = '']) => {
    const module = from || whole
    const dots = /^\.*/.exec(module)![0].length
    const inside = module.slice(dots).replaceAll('.', '/')
    const above = dots === 0 ? '' : join(dirname(path), ...Array.from({ length: dots - 1 }, () => '..'))
    const base = join(above, inside)
    const names = namesIn(listed ?? line ?? '')
    // A name may be a module itself.
    const modules = names.flatMap((name) => {
      const own = join(base, `${name}.py`)
      return isFile(own) ? [{ path: own, names: [name] }] : []
    })
    const file = [`${base}.py`, join('src', `${base}.py`), join(base, '__init__.py')].find(isFile)
    return [...modules, ...(file === undefined ? [] : [{ path: file, names }])]
  })
}

/** `{ a, b as c }`, `d`, `* as e`, `a: f`, `a # why`: the names as the importing file knows them, and `*`. */
function namesIn(words: string): string[] {
  return words.split(/[{},\n]/).flatMap((part) => {
    const name = /([\w$]+|\*)\s*$/.exec(part.replace(/#.*/, '').trim())?.[1]
    return name === undefined || name === 'type' ? [] : [name]
  })
}
