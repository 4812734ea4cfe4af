/**
 * llama.cpp's own `llama-bench`, compiled from the sources that the npm package node-llama-cpp carries and linked to the
 * very libraries that we load: the yardstick of our prefill and decode.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import * as z from 'zod'

const version = '3.21.1'

/** The folder of the prebuilt libraries for this platform (Linux only: elsewhere there is nothing to compare with). */
function librariesFolder(): string {
  const name = `linux-${process.arch}`
  // The package exports its dist/index.js only; the libraries lie beside dist/.
  return join(dirname(dirname(createRequire(import.meta.url).resolve(`@node-llama-cpp/${name}`))), 'bins', name)
}

/** Path of the compiled program; builds it on first use (about 15 s, needs git and g++). */
export async function buildLlamaBench(): Promise<string> {
  const home = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'cachalot', `llama-bench-${version}`)
  const program = join(home, 'llama-bench')
  if (existsSync(program)) return program
  mkdirSync(home, { recursive: true })
  const work = mkdtempSync(join(tmpdir(), 'llama-bench-'))
  try {
    await execa('npm', ['pack', '--silent', `node-llama-cpp@${version}`], { cwd: work })
    await execa('tar', ['xzf', `node-llama-cpp-${version}.tgz`, 'package/llama/gitRelease.bundle'], { cwd: work })
    await execa('git', ['clone', '-q', 'package/llama/gitRelease.bundle', 'source'], { cwd: work })
    const source = join(work, 'source')
    const libraries = librariesFolder()
    const linked = readdirSync(libraries).filter((name) =>
      /^lib(llama-common|llama\.v|ggml\.v|ggml-base).*so$/.test(name),
    )
    await execa(
      'g++',
      [
        ...['-O2', '-std=c++17', '-DNDEBUG', 'tools/llama-bench/llama-bench.cpp', 'tools/llama-bench/main.cpp'],
        ...['-I', 'include', '-I', 'common', '-I', 'ggml/include', '-I', 'vendor'],
        ...linked.map((name) => join(libraries, name)),
        ...[`-Wl,-rpath,${libraries}`, '-lpthread', '-o', join(work, 'llama-bench')],
      ],
      { cwd: source },
    )
    renameSync(join(work, 'llama-bench'), program)
    return program
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

const rowsSchema = z.array(z.object({ n_prompt: z.number(), n_gen: z.number(), avg_ts: z.number() }))

/** One window of llama-bench: prefill and decode in tokens a second. */
export async function runLlamaBench(
  program: string,
  model: string,
  threads: number,
  prompt: number,
  generate: number,
): Promise<{ prefill: number; decode: number }> {
  const { stdout } = await execa(
    program,
    ['-m', model, '-t', `${threads}`, '-p', `${prompt}`, '-n', `${generate}`, '-r', '1', '-o', 'json', '-ngl', '0'],
    { cwd: librariesFolder() }, // it looks for its back ends in the working folder
  )
  const rows = rowsSchema.parse(JSON.parse(stdout))
  const speed = (isPrefill: boolean): number => rows.find((row) => row.n_prompt > 0 === isPrefill)?.avg_ts ?? Number.NaN
  return { prefill: speed(true), decode: speed(false) }
}
