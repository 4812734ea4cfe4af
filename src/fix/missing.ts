/** A module that a log says is not there, and the file that was likely meant. */
import { readdirSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { nearest } from '../nearest.ts'

const missing =
  /(?:Cannot find module|Can't resolve|No such file or directory:?) '([^'\n]{1,300})'|No module named '([\w.]{1,200})'/g

/** A sentence for each missing file of the work tree beside which another of nearly that name stands; at most three. */
export function missingHints(log: string, root: string): string[] {
  const found = new Set<string>()
  for (const [, file = '', module = ''] of log.slice(0, 256 * 1024).matchAll(missing)) {
    const path =
      module === '' ? relative(root, join(file.startsWith('/') ? '' : root, file)) : `${module.replaceAll('.', '/')}.py`
    if (path === '' || path.startsWith('..') || path.includes('node_modules')) continue
    const near = nearest(basename(path), filesIn(join(root, dirname(path))))
    const there = near === undefined ? undefined : join(dirname(path), near)
    if (there !== undefined && there !== path) found.add(`There is no ${path}; there is ${there}.`)
  }
  return [...found].slice(0, 3)
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : []))
  } catch {
    return [] // no such folder: nothing stands beside it
  }
}
