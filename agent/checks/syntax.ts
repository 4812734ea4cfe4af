/** Whether the changed files can be read by their own language, in Python with every name that they use. */
import { languageOf } from '../../tools/index.ts'
import { faultsOf } from '../turn/readable.ts'
import { python, runCommand, shellWord } from './command.ts'
import { readPython } from './python-names.ts'
import type { ChangedText, Check, CheckContext } from './types.ts'

/** One language: which paths are its own, and the line of what is wrong with a text; undefined when nothing is. */
interface Language {
  readonly paths: RegExp
  problem(text: string, path: string, context: CheckContext): Promise<string | undefined>
}

const languages: readonly Language[] = [
  {
    paths: /\.pyi?$/,
    problem: (text, _, context) => byCommand(`${python} -I -c ${shellWord(readPython)}`, text, context),
  },
  {
    paths: /\.(?:js|mjs|cjs)$/,
    problem: (text, path, context) => {
      const module = path.endsWith('.mjs') || (!path.endsWith('.cjs') && /^\s*(?:import|export)\b/m.test(text))
      // JSX in a .js file is for a compiler that we do not know.
      if (/^\s*(?:return\s*\(?\s*)?<[A-Za-z>]/m.test(text)) return Promise.resolve(undefined)
      return byCommand(`node --check --input-type=${module ? 'module' : 'commonjs'} -`, text, context)
    },
  },
  {
    paths: /\.json$/,
    async problem(text) {
      try {
        JSON.parse(text)
        return undefined
      } catch (error) {
        return String(error)
      }
    },
  },
]

async function byCommand(line: string, text: string, context: CheckContext): Promise<string | undefined> {
  const { exitCode, output } = await runCommand(context, line, { seconds: 20, writes: false, stdin: text })
  return exitCode === 0 ? undefined : said(output)
}

/** `line 3: …` of our own program; of node's report the line and the error. Shells may say more around them. */
function said(output: string): string {
  const own = /^line (?:\d+|None): .*$/m.exec(output)?.[0]
  if (own !== undefined) return own
  const line = /^\[stdin\]:(\d+)/m.exec(output)?.[1]
  const error = /^\w*Error: .*$/m.exec(output)?.[0]
  return error === undefined ? output.trim().slice(0, 300) : `line ${line ?? '?'}: ${error}`
}

/**
 * A text that was unreadable before the change counts only when the task speaks of that; a name that was bound nowhere, only when
 * the task names it: it may come from where we do not see.
 */
async function isNew(
  problem: string,
  { before, after, path }: ChangedText,
  language: Language,
  context: CheckContext,
): Promise<boolean> {
  if (before === null) return true
  const name = undefinedName(problem)
  const spoken = /\b(?:syntax|parse|invalid|broken|fix)/i.test(context.task)
  if (name === undefined && spoken) return true
  const was = await language.problem(before, path, context)
  // It could be read, then, whatever name was missing in it.
  if (name === undefined) return was === undefined || undefinedName(was) !== undefined
  const isSpokenOf = /\b(?:undefined|not defined|NameError)\b/.test(context.task)
  const old = was === undefined ? undefined : undefinedName(was)
  if (old === name) return isSpokenOf || context.task.includes(name)
  if (isSpokenOf || old === undefined || ![old, name].every((word) => context.task.includes(word))) return true
  return renamed(before, old, name) !== after
}

/** A text in which one name is called otherwise, everywhere. */
const renamed = (text: string, from: string, to: string): string =>
  text.replace(new RegExp(`(?<![\\p{L}\\p{N}_])${from}(?![\\p{L}\\p{N}_])`, 'gu'), to)

const undefinedName = (problem: string): string | undefined => /: name '(.+)' is not defined$/.exec(problem)?.[1]

/** Of more files than these the grammars are asked, where they are at hand: a process for each would take minutes. */
const manyFiles = 30

export const syntax: Check = async (context) => {
  const isMany = context.files.length > manyFiles && context.code !== undefined
  const problems: string[] = []
  let looked = 0
  for (const file of context.files) {
    if (file.after === null) continue
    const language = languages.find(({ paths }) => paths.test(file.path))
    if (language === undefined || (isMany && languageOf(file.path) !== undefined)) {
      // Grammars: languages that no program here can be asked about.
      if (context.code === undefined || languageOf(file.path) === undefined) continue
      looked += 1
      problems.push(...(await faultsOf(file, context.code)))
      continue
    }
    looked += 1
    const problem = await language.problem(file.after, file.path, context)
    if (problem === undefined || !(await isNew(problem, file, language, context))) continue
    problems.push(`${file.path}: ${problem}`)
  }
  if (looked === 0) return undefined
  if (problems.length === 0) return { name: 'syntax', passed: true, detail: `${looked} file${looked > 1 ? 's' : ''}` }
  return { name: 'syntax', passed: false, detail: problems.slice(0, 5).join('\n') }
}
