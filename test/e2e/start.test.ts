/** What makes the program quick to start: little is loaded before it is known what is wanted. */
import { readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { projectRoot } from './program.ts'

/** The file and everything it imports statically, from dist/. */
function reachable(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  const text = readFileSync(file, 'utf8')
  for (const [, from] of text.matchAll(/(?:\bfrom|\bimport)\s*"(\.[^"]+)"/g))
    reachable(join(dirname(file), from ?? ''), seen)
  return seen
}

const bytes = (files: Iterable<string>): number => [...files].reduce((sum, file) => sum + statSync(file).size, 0)

test('--version and --help load next to nothing', () => {
  expect(bytes(reachable(join(projectRoot, 'dist', 'cli.js')))).toBeLessThan(16_000)
})

test('the command line knows its commands without the loop, the engine or the interface', () => {
  const cli = readFileSync(join(projectRoot, 'dist', 'cli.js'), 'utf8')
  const main = /import\("(\.\/main-[^"]+)"\)/.exec(cli)?.[1]
  expect(main).toBeDefined()
  const files = reachable(join(projectRoot, 'dist', main ?? ''))
  for (const file of files)
    expect(readFileSync(file, 'utf8')).not.toMatch(/from"(undici|ink|react|koffi)"|react-reconciler/)
})
