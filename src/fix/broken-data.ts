/** Data that a program could not read: its complaint names the place in the text, and seldom the file. */
import { readdirSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { textOf } from './imports.ts'

const complaint = /\bJSON\b|JSONDecodeError/
const most = 20

export interface BrokenData {
  readonly path: string
  /** Counted from 1; undefined where the reader does not say. */
  readonly line: number | undefined
  readonly problem: string
}

/** JSON files that do not parse, where a log speaks of JSON: those at the top, and those that the files `named` name. */
export function brokenData(log: string, root: string, named: readonly string[]): BrokenData[] {
  if (!complaint.test(log)) return []
  const top = readdirSync(root).filter((name) => name.endsWith('.json'))
  const told = named.flatMap((path) =>
    [...textOf(root, path).matchAll(/['"`]([\w@+./-]{1,200}\.json)['"`]/g)].flatMap(([, to = '']) => [
      normalize(to),
      normalize(join(dirname(path), to)),
    ]),
  )
  const paths = [...new Set([...told, ...top])].filter((path) => !path.startsWith('..') && !path.startsWith('/'))
  return paths.slice(0, most).flatMap((path) => {
    const text = textOf(root, path)
    // With comments it is another kind of file, for other readers.
    if (text.trim() === '' || /^[ \t]*\/[/*]/m.test(text)) return []
    try {
      JSON.parse(text)
      return []
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      const at = /position (\d+)/.exec(problem)?.[1]
      return [{ path, line: at === undefined ? undefined : lineAt(text, Number(at)), problem }]
    }
  })
}

const lineAt = (text: string, position: number): number => text.slice(0, position).split('\n').length
