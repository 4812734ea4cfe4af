/** Libraries for GPUs: from a registry's archive to a folder the engine can use, whole or not at all. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  fetchedLibraries,
  fetchLibraries,
  type GpuLibraries,
  gpuLibraries,
  removeLibraries,
} from '../../../engine/index.ts'
import { type Hub, startHub } from './support/hub.ts'

let home: string
let registry: Hub
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'cachalot-libraries-'))
})
afterEach(async () => {
  await registry?.close()
  rmSync(home, { recursive: true, force: true })
})

/** An archive as the registry's, served by a server of our own. */
async function offer(folder: string, digest?: string): Promise<GpuLibraries> {
  mkdirSync(join(home, 'package/bins/linux-x64-cuda'), { recursive: true })
  writeFileSync(join(home, 'package/bins/linux-x64-cuda/libllama.cuda.so'), 'a library')
  writeFileSync(join(home, 'package/README.md'), 'not wanted')
  execFileSync('tar', ['-czf', join(home, 'a.tgz'), '-C', home, 'package'])
  const body = readFileSync(join(home, 'a.tgz'))
  registry = await startHub({ body })
  const sha256 = digest ?? createHash('sha256').update(body).digest('hex')
  return { name: 'cuda', title: 'for a test', folder, bytes: body.length, sha256 }
}

const options = () => ({
  signal: new AbortController().signal,
  onEvent: () => undefined,
  pause: 10,
  endpoints: { huggingface: registry.url, modelscope: registry.url, npm: registry.url },
})
const folder = () => join(home, 'kept')

test('fetched, found, fetched again for nothing, removed', async () => {
  const libraries = await offer('linux-x64-cuda')
  expect(fetchedLibraries(libraries, folder())).toBeUndefined()
  const place = await fetchLibraries(libraries, folder(), options())
  expect(registry.requests.map(({ path }) => path)).toEqual([
    expect.stringMatching(/^\/@node-llama-cpp\/linux-x64-cuda\/-\/linux-x64-cuda-\d+\.\d+\.\d+\.tgz$/),
  ])
  expect(readdirSync(place)).toEqual(['libllama.cuda.so'])
  expect(fetchedLibraries(libraries, folder())).toBe(place)
  // Neither the archive nor what was being unpacked is left.
  expect(
    readdirSync(folder(), { recursive: true }).filter((name) => /tgz|unpacking|README/.test(String(name))),
  ).toEqual([])
  expect(await fetchLibraries(libraries, folder(), options())).toBe(place)
  expect(registry.requests).toHaveLength(1)
  expect(await removeLibraries(libraries, folder())).toBe(true)
  expect(await removeLibraries(libraries, folder())).toBe(false)
})

test('another archive than the one that is known is not unpacked', async () => {
  const libraries = await offer('linux-x64-cuda', '0'.repeat(64))
  await expect(fetchLibraries(libraries, folder(), options())).rejects.toMatchObject({ kind: 'no-source' })
  expect(fetchedLibraries(libraries, folder())).toBeUndefined()
})

test('an archive that does not hold them leaves nothing that looks like libraries', async () => {
  const libraries = await offer('linux-x64-other')
  await expect(fetchLibraries(libraries, folder(), options())).rejects.toMatchObject({
    kind: 'io',
    message: expect.stringContaining('cannot be unpacked'),
  })
  expect(fetchedLibraries(libraries, folder())).toBeUndefined()
})

test('what is known: nothing by default, and only what a machine can use', () => {
  expect(gpuLibraries('darwin-arm64')).toEqual([])
  for (const { folder, sha256 } of gpuLibraries('linux-x64')) {
    expect(folder).toMatch(/^linux-x64-/)
    expect(sha256).toMatch(/^[0-9a-f]{64}$/)
  }
})
