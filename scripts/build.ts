/**
 * Bundles the program into dist/ with esbuild: the command line, the engine host and the thread that
 * parses code, with shared chunks; and the grammars beside them.
 * `--if-stale` builds only when a source file is newer than the last build, so that `npm start` stays quick.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { grammarFiles } from '../tools/code/languages.ts'
import { lighter } from './lighter.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const outdir = join(root, 'dist')
const sources = globSync(
  ['{src,agent,tools,engine,sandbox}/**/*.{ts,tsx,md,json}', 'package.json', 'scripts/build.ts'],
  { cwd: root },
)

/** Modification time in milliseconds; 0 for a file that is not there. */
const modified = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0

const built = modified(join(outdir, 'cli.js'))
const stale = sources.some((file) => modified(join(root, file)) > built)

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }

if (!process.argv.includes('--if-stale') || stale) {
  // Built beside and moved in whole: a failed build leaves the last good one.
  const staging = join(root, 'node_modules', `.cachalot-build-${process.pid}`)
  await build({
    absWorkingDir: root,
    entryPoints: {
      cli: 'src/cli.ts',
      index: 'src/library.ts',
      'engine-host': 'engine/host/main.ts',
      'code-worker': 'tools/code/worker.ts',
    },
    outdir: staging,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    minify: true,
    sourcemap: false,
    loader: { '.md': 'text' },
    define: { 'process.env.NODE_ENV': '"production"', CACHALOT_VERSION: JSON.stringify(version) },
    // Ink asks for React's developer tools only when DEV=true; they are not installed.
    alias: { 'react-devtools-core': './scripts/no-devtools.ts' },
    plugins: [lighter],
    // Packages that carry native files stay packages; everything else is in the bundle.
    external: ['koffi', '@vscode/ripgrep', '@node-llama-cpp/*'],
    banner: {
      js: "import { createRequire as cachalotRequire } from 'node:module'; const require = cachalotRequire(import.meta.url);",
    },
    logLevel: 'warning',
  })
  mkdirSync(join(staging, 'grammars'))
  for (const { name, source } of grammarFiles) {
    copyFileSync(join(root, 'node_modules', source), join(staging, 'grammars', name))
  }
  // The manual page is of what was built.
  const page = execFileSync(process.execPath, [join(staging, 'cli.js'), 'man'], { encoding: 'utf8' })
  writeFileSync(join(staging, 'cachalot.1'), page)
  rmSync(outdir, { recursive: true, force: true })
  renameSync(staging, outdir)
}
