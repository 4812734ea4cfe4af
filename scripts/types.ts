/** Writes dist/index.d.ts: the types of the library in one file that needs no other package. Run after the build. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const file = join(root, 'dist', 'index.d.ts')
const bundler = createRequire(import.meta.url).resolve('dts-bundle-generator/dist/bin/dts-bundle-generator.js')
const words = [
  '--project',
  'tsconfig.json',
  '--silent',
  '--no-banner',
  '--no-check',
  '-o',
  file,
  '--',
  'src/library.ts',
]
execFileSync(process.execPath, [bundler, ...words], { cwd: root, stdio: 'inherit' })
// Whoever uses the library has none of our packages.
const needed = /^import .* from .*$/m.exec(readFileSync(file, 'utf8'))
if (needed !== null) throw new Error(`the types of the library must stand alone, and have: ${needed[0]}`)
