/** Tasks that ask for the same in every file of a folder, or of a pattern: which files these are. */
import type { Workspace } from '../../sandbox/index.ts'
import { languageOf } from '../../tools/index.ts'
import { asksForChange } from '../turn/wishes.ts'
import { isSecret } from './secrets.ts'

/** More files than these a small model does not get done in the time that anybody waits. */
const mostFiles = 40
/** Characters of a task that is read for this. */
const longestTask = 1000

const quantity = /\b(?:every|each|all)\b/i
/** What goes from one file to another is not done in each by itself. */
const between = /\b(?:mov(?:e|ing)|extract|split|merge|into (?:one|a single)|between|rename)\b/i

const endings: Readonly<Record<string, readonly string[]>> = {
  python: ['py', 'pyi'],
  javascript: ['js', 'jsx', 'mjs', 'cjs'],
  typescript: ['ts', 'tsx', 'mts', 'cts'],
  go: ['go'],
  rust: ['rs'],
  ruby: ['rb'],
  java: ['java'],
  php: ['php'],
  'c#': ['cs'],
  'c++': ['cpp', 'cc', 'cxx', 'hpp', 'hh'],
}

/**
 * Source files of which a task speaks together: "add a docstring to every function in lib/", "in all files of src",
 * `src/*.py`, "every Python file". Undefined for every other task, for fewer than two files, and for too many.
 * `list` gives the files of the work tree.
 */
export async function filesOfEach(
  task: string,
  list: () => Promise<readonly string[]>,
  workspace: Workspace,
): Promise<readonly string[] | undefined> {
  // Piped texts are long, and each of their words could be a folder.
  if (task.length > longestTask) return undefined
  const pattern = /(?<![\w/])[\w./-]*\*[\w./*{},-]*/.exec(task)?.[0].replace(/[.,]+$/, '')
  if (!asksForChange(task) || between.test(task) || (pattern === undefined && !quantity.test(task))) return undefined
  const folder = await folderIn(task, workspace)
  const kinds = endingsIn(task)
  const whole = /\bfiles?\b|\bmodules?\b|\bcode ?base\b|\brepo(?:sitory)?\b|\bproject\b/i.test(task)
  if (pattern === undefined && folder === undefined && !(whole && namesNoPath(task))) {
    return undefined
  }
  // Globs are a library, loaded when there is one to read.
  const { default: picomatch } = await import('picomatch')
  const fits = pattern === undefined ? undefined : picomatch(pattern.includes('/') ? pattern : `**/${pattern}`)
  const found = (await list()).filter(
    (path) =>
      languageOf(path) !== undefined &&
      !isSecret(path) &&
      (folder === undefined || path.startsWith(`${folder}/`)) &&
      (kinds === undefined || kinds.includes(path.slice(path.lastIndexOf('.') + 1))) &&
      (fits === undefined || fits(path)),
  )
  return found.length < 2 || found.length > mostFiles ? undefined : found
}

/** The folder that the task names, without a slash at its end. */
async function folderIn(task: string, workspace: Workspace): Promise<string | undefined> {
  for (const [, named = ''] of task.matchAll(
    /(?:^|[\s`"'(])((?:\.\/)?[\w.-]+(?:\/[\w.-]+)*\/?)(?=$|[\s`"'),.;:!?])/g,
  )) {
    const path = named.replace(/^\.\//, '').replace(/[/.]+$/, '')
    // A word of the sentence may be a folder's name, too ("in all test files"): it is one after "in" or with a slash.
    const meant =
      named.includes('/') ||
      new RegExp(`\\b(?:in|of|under|below|within|inside|from)\\s+[\`"']?${escaped(named)}`, 'i').test(task)
    if (path === '' || !meant) continue
    try {
      if ((await workspace.stat(path))?.kind === 'directory') return workspace.relative(path)
    } catch {
      // Outside of the root: it names nothing here.
    }
  }
  return undefined
}

function endingsIn(task: string): readonly string[] | undefined {
  const ending = /(?<![\w*/])\.(\w{1,5})\b/.exec(task)?.[1]
  if (ending !== undefined) return [ending]
  const language = /\b(python|javascript|typescript|go|rust|ruby|java|php)\b|(?<!\w)(c#|c\+\+)(?!\w)/i.exec(task)?.[0]
  return language === undefined ? undefined : endings[language.toLowerCase()]
}

/** "All files" of a task that names a path are its own. */
const namesNoPath = (task: string): boolean => !/[\w-]\.[a-z]\w{0,4}\b|[\w.]\//i.test(task)

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
