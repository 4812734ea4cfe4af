/** Red repositories: one of the small programs of test/fixtures/red with one thing broken. For tests and `npm run eval`. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
const red = join(root, 'test', 'fixtures', 'red')

export interface Mutation {
  readonly name: string
  readonly base: 'shop' | 'tally' | 'shapes'
  /** The broken file: `was` occurs in it once, and `now` takes its place. */
  readonly path: string
  readonly was: string
  readonly now: string
  /** What `--allow` needs for the repair. */
  readonly allow?: string
}

export const mutations: readonly Mutation[] = (
  JSON.parse(readFileSync(join(red, 'mutations.json'), 'utf8')) as { mutations: Mutation[] }
).mutations

/** The check of each base. */
export const checks: Readonly<Record<Mutation['base'], string>> = {
  shop: 'sh check.sh',
  tally: 'python3 -B -m unittest',
  shapes: 'node node_modules/typescript/lib/tsc.js -p .',
}

export const baseFolder = (base: Mutation['base']): string => join(red, 'base', base)

/** Writes a base into a folder, and breaks it where a mutation is given. */
export function writeBroken(folder: string, base: Mutation['base'], mutation?: Mutation): void {
  cpSync(baseFolder(base), folder, { recursive: true })
  if (base === 'shapes') {
    // In the work tree: a checkout in /tmp is out of a command's sight.
    const from = join(root, 'node_modules', '@typescript', 'old', 'lib')
    for (const name of readdirSync(from).filter((each) => /^_?tsc\.js$|^lib\.(es|decorators).*\.d\.ts$/.test(each))) {
      cpSync(join(from, name), join(folder, 'node_modules', 'typescript', 'lib', name))
    }
  }
  if (mutation === undefined) return
  const file = join(folder, mutation.path)
  const parts = readFileSync(file, 'utf8').split(mutation.was)
  if (parts.length !== 2) throw new Error(`${mutation.name}: the text to break occurs ${parts.length - 1} times`)
  writeFileSync(file, parts.join(mutation.now))
}
