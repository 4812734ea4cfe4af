/** Names that a new text of a file still uses, but no longer gets from anywhere: constants and imports that were left out. */

import { docBlocksOf } from './definitions.ts'

/** A name that the outer level of a text binds. `line`: from 1. */
interface Bound {
  readonly name: string
  readonly line: number
}

const word = String.raw`[\p{L}_$][\p{L}\p{N}_$]*`
const assigned = new RegExp(
  String.raw`^(?:export\s+)?(?:(?:const|let|var|final|static)\s+)?(${word})\s*(?::[^=\n]+)?=(?![=>])`,
  'u',
)
const pythonImport = /^(?:from\s+\S+\s+)?import\s+\(?([^()]+)\)?$/
const scriptImport = /^import\s+(?:type\s+)?(.+?)\s+from\s+['"]/
const required = /^(?:const|let|var)\s+(.+?)\s*=\s*(?:await\s+import|require)\(/

/** More lines than this are not looked at. */
const most = 20_000
/** More names than these are not looked for in every line. */
const mostLost = 200

export function lostNames(before: string, after: string): Bound[] {
  const old = before.split('\n').slice(0, most)
  const next = after.split('\n').slice(0, most)
  const still = new Set(next.flatMap(namesOf))
  const gone = new Map<string, Bound>()
  old.forEach((line, at) => {
    for (const name of namesOf(line)) if (!still.has(name) && !gone.has(name)) gone.set(name, { name, line: at + 1 })
  })
  if (gone.size === 0) return []
  const code = next.map(withoutText)
  for (const { line, last } of docBlocksOf(after)) code.fill('', line - 1, last)
  const words = new Set(
    code.flatMap((line) => line.match(new RegExp(String.raw`(?<![\p{L}\p{N}_$.])${word}`, 'gu')) ?? []),
  )
  const used = [...gone.values()].filter(({ name }) => words.has(name)).slice(0, mostLost)
  return used.filter(({ name }) => {
    const binds = bindingOf(name)
    return !code.some((line) => binds.test(line))
  })
}

function namesOf(line: string): string[] {
  if (line.length > 500) return []
  const imported = scriptImport.exec(line)?.[1] ?? required.exec(line)?.[1] ?? pythonImport.exec(line)?.[1]
  if (imported !== undefined) {
    return imported.split(/[,{}]/).flatMap((part) => {
      const name = /(?:\bas\s+|:\s*)?([\p{L}_$][\p{L}\p{N}_$]*)\s*$/u.exec(part.trim().replace(/\.[\w.]*$/, ''))?.[1]
      return name === undefined || name === 'type' ? [] : [name]
    })
  }
  const name = assigned.exec(line)?.[1]
  return name === undefined ? [] : [name]
}

/** Any line that may give the name a value: rather one too many than a loss that is none. */
const bindingOf = (name: string): RegExp => {
  const it = String.raw`(?<![\p{L}\p{N}_$.])${name.replaceAll('$', String.raw`\$`)}(?![\p{L}\p{N}_$])`
  return new RegExp(
    [
      `${it}\\s*(?::[^=]+)?(?::=|=(?![=>]))`,
      `\\b(?:import|global)\\b.*${it}`,
      `\\b(?:def|class|function|func|fn|type|interface|enum|struct)\\b[^)]*${it}`,
      `\\b(?:const|let|var)\\b[^=]*${it}`,
      `\\blambda\\b[^:]*${it}`,
      `\\bfor\\b.*${it}.*\\b(?:in|of)\\b`,
      `\\b(?:as|catch)\\b[\\s(]*${it}`,
      `(?:[(,][^()]*)?${it}(?:[^()]*\\))?\\s*=>`,
    ].join('|'),
    'u',
  )
}

/** A line without what stands in quotes and behind the mark of a comment. */
const withoutText = (line: string): string =>
  line.length > 500
    ? ''
    : line.replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/g, '""').replace(/(?:^|\s)(?:#|\/\/).*$/, '')
