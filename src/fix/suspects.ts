/** Which files the cause of a failure likely stands in: those a log complains of, and what its tests import. */
import { statSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { protectedFiles } from './cheat-patterns.ts'
import { homeOf, importsOf, speaksOf, textOf } from './imports.ts'
import type { Place } from './places.ts'
import { blockAt } from './test-blocks.ts'

export interface Suspect {
  /** Relative to the work tree. */
  readonly path: string
  /** Where the log complains of it. */
  readonly line?: number
  /** What a failing test uses of it. */
  readonly names?: readonly string[]
}

export interface Scene {
  readonly places: readonly Place[]
  /** Absolute path of the work tree. */
  readonly root: string
  readonly log: string
  /** Whether nothing of a file may be changed. */
  readonly isOffLimits: (path: string) => boolean
  /** Whether the check names a file. */
  readonly isNamed: (path: string) => boolean
}

/** More files than these help nobody, a small model least of all. */
const most = 4
const mostNames = 3
const longestLog = 256 * 1024
const longestLine = 500

const isProtected = (path: string): boolean => protectedFiles.some(([, pattern]) => pattern.test(path))

/**
 * Files of the work tree that may be changed, the likeliest first: those that the log itself names with a line, what such a
 * line uses of others, those that it names by their whole path, then those that the tests among them use, or import. Tests and the like, where they may be
 * changed, come last.
 */
export function suspectsOf(scene: Scene): Suspect[] {
  const { places, root, log, isOffLimits, isNamed } = scene
  const found = new Map<string, Suspect>()
  const add = (suspect: Suspect): void => {
    if (!isOffLimits(suspect.path) && !found.has(suspect.path)) found.set(suspect.path, suspect)
  }
  for (const { path, line } of places) if (!isProtected(path)) add({ path, line })
  for (const { path, line } of places)
    if (!isProtected(path)) for (const suspect of usedAt(path, line, root)) if (!isProtected(suspect.path)) add(suspect)
  // `imported from /…/src/cart.js`: a whole path is told without a line.
  for (const piece of log.slice(0, longestLog).split(`${root}/`).slice(1)) {
    const path = /^[\w@+./-]{1,300}\.\w{1,8}/.exec(piece)?.[0] ?? ''
    if (!isProtected(path) && isFileAt(root, path)) add({ path })
  }
  const tests = [...new Set(places.map(({ path }) => path))].filter((path) => isProtected(path) || isNamed(path))
  for (const test of tests) for (const suspect of usedBy(test, scene)) if (!isProtected(suspect.path)) add(suspect)
  for (const test of tests) for (const path of namedIn(test, scene)) if (isProtected(path)) add({ path })
  for (const { path, line } of places) add({ path, line })
  return [...found.values()].slice(0, most)
}

/** As a task says it: `src/cart.js:12`, `src/cart.js (total)`. */
export const suspectText = ({ path, line, names = [] }: Suspect): string =>
  `${path}${line === undefined ? '' : `:${line}`}${names.length === 0 ? '' : ` (${names.join(', ')})`}`

const failingParts = (test: string, { places, root }: Scene): string =>
  places.flatMap(({ path, line }) => (path === test ? [blockAt(path, line, root)] : [])).join('\n')

/** Files that the failing parts of a test name: what it was recorded in, mostly. And where test runners keep that. */
function namedIn(test: string, scene: Scene): string[] {
  const here = dirname(test)
  const told = [...failingParts(test, scene).matchAll(/['"`]([\w@+./-]{1,200}\.\w{1,8})['"`]/g)].flatMap(
    ([, to = '']) => [normalize(join(here, to)), normalize(to)],
  )
  const kept = join(here, '__snapshots__', `${basename(test)}.snap`)
  return [...told, kept].filter((path) => !path.startsWith('..') && isFileAt(scene.root, path))
}

/** What a line uses of other files: what they gave it may be what is wrong there. */
function usedAt(path: string, line: number, root: string): Suspect[] {
  const text = textOf(root, path).split('\n')[line - 1] ?? ''
  if (text.length > longestLine) return []
  const names = importsOf(path, root).flatMap((one) => one.names)
  return [...new Set(names)].flatMap((name): Suspect[] => {
    const home = name !== '*' && speaksOf(text, name) ? homeOf(name, path, root) : path
    return home === path ? [] : [{ path: home, names: [name] }]
  })
}

/** What the failing parts of a test use; all that it imports, where that cannot be told. */
function usedBy(test: string, scene: Scene): Suspect[] {
  const { root } = scene
  const imports = importsOf(test, root)
  const failing = failingParts(test, scene)
  const used = new Map<string, string[]>()
  for (const name of new Set(imports.flatMap(({ names }) => names))) {
    if (name === '*' || !speaksOf(failing, name)) continue
    const home = homeOf(name, test, root)
    used.set(home, [...(used.get(home) ?? []), name])
  }
  if (used.size === 0) return imports.map(({ path }) => ({ path }))
  const at = (name: string): number => failing.search(new RegExp(`(?<![\\w$])${name.replaceAll('$', '\\$')}(?![\\w$])`))
  const sorted = [...used].map(([path, names]) => ({ path, names: names.sort((a, b) => at(a) - at(b)) }))
  return sorted
    .sort((one, other) => at(one.names[0]!) - at(other.names[0]!))
    .map(({ path, names }) => ({ path, names: names.slice(0, mostNames) }))
}

const isFileAt = (root: string, path: string): boolean =>
  !/(^|\/)(\.\.|node_modules)\//.test(path) && statSync(join(root, path), { throwIfNoEntry: false })?.isFile() === true
