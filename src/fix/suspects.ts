/** Which files the cause of a failure likely stands in: those a log complains of, and what its tests import. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { protectedFiles } from './cheat-patterns.ts'
import type { Place } from './places.ts'

/** More files than these help nobody, a small model least of all. */
const most = 4
const largest = 256 * 1024

const isProtected = (path: string): boolean => protectedFiles.some(([, pattern]) => pattern.test(path))

/**
 * Files of the work tree that may be changed, the likeliest first: those that the log itself names with a line, those that
 * it names by their whole path, then those that the tests among them import by a relative path or a module's name.
 */
export function suspectsOf(places: readonly Place[], root: string, log = ''): string[] {
  const found = new Map<string, string>()
  for (const { path, line } of places) {
    if (!isProtected(path) && !found.has(path)) found.set(path, `${path}:${line}`)
  }
  // `imported from /…/src/cart.js`: a whole path is told without a line.
  for (const piece of log.slice(0, largest).split(`${root}/`).slice(1)) {
    const path = /^[\w@+./-]{1,300}\.\w{1,8}/.exec(piece)?.[0] ?? ''
    if (!isProtected(path) && !found.has(path) && isFileAt(root, path)) found.set(path, path)
  }
  for (const test of new Set(places.map(({ path }) => path).filter(isProtected))) {
    for (const path of importsOf(test, root)) if (!isProtected(path) && !found.has(path)) found.set(path, path)
  }
  return [...found.values()].slice(0, most)
}

const isFileAt = (root: string, path: string): boolean =>
  !/(^|\/)(\.\.|node_modules)\//.test(path) && statSync(join(root, path), { throwIfNoEntry: false })?.isFile() === true

const scriptEndings = ['', '.js', '.ts', '.mjs', '.mts', '.cjs', '.jsx', '.tsx', '/index.js', '/index.ts']

function importsOf(path: string, root: string): string[] {
  const text = textOf(join(root, path))
  const isFile = (candidate: string): boolean => {
    if (candidate.startsWith('..')) return false
    return statSync(join(root, candidate), { throwIfNoEntry: false })?.isFile() === true
  }
  const relative = [...text.matchAll(/(?:from|import|require\()\s*['"](\.{1,2}\/[^'"\n]{1,200})['"]/g)].flatMap(
    ([, to = '']) => {
      const base = normalize(join(dirname(path), to))
      // What TypeScript imports as .js is written as .ts.
      const written = [...scriptEndings.map((ending) => base + ending), base.replace(/\.([mc]?)js$/, '.$1ts')]
      return written.filter(isFile).slice(0, 1)
    },
  )
  const modules = [
    ...text.matchAll(/^\s*(?:from\s+([\w.]{1,200})\s+import\s+([\w, ]{1,200})|import\s+([\w.]{1,200}))/gm),
  ].flatMap(([, from = '', names = '', whole = '']) => {
    const base = (from || whole).replace(/^\.+/, '').replaceAll('.', '/')
    const inside = names.split(',').map((name) => `${base}/${name.trim()}.py`)
    return [...inside, `${base}.py`, `src/${base}.py`, `${base}/__init__.py`].filter(isFile)
  })
  return [...relative, ...modules]
}

function textOf(file: string): string {
  if (!existsSync(file) || statSync(file).size > largest) return ''
  return readFileSync(file, 'utf8')
}
