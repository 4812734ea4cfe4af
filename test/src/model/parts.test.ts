/** A model of the catalog whose file is in parts, from a hub on this machine. */
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { catalogFiles } from '../../../engine/catalog/store.ts'
import { type CatalogEntry, findEntry, type ModelFolders } from '../../../engine/index.ts'
import { fetchEntry } from '../../../src/model/fetch.ts'
import { type Hub, modelBytes, startHub } from '../../engine/catalog/support/hub.ts'

const bodies = [modelBytes(5000, 'one'), modelBytes(3000, 'two')]
const digest = (body: Buffer) => createHash('sha256').update(body).digest('hex')
let folders: ModelFolders
let hub: Hub
let notes: string[]
let served: readonly Buffer[]

beforeEach(async () => {
  folders = { models: await mkdtemp(join(tmpdir(), 'cachalot-parts-')) }
  notes = []
  served = bodies
  hub = await startHub({
    body: Buffer.alloc(0),
    misbehave: (request, response) => {
      const body = served[request.url?.includes('-00002-of-') ? 1 : 0]!
      response.writeHead(200, { 'content-length': body.length }).end(body)
      return true
    },
  })
  vi.stubEnv('HF_ENDPOINT', hub.url)
  for (const proxy of ['HTTP_PROXY', 'http_proxy']) vi.stubEnv(proxy, undefined)
})
afterEach(async () => {
  await hub.close()
  await rm(folders.models, { recursive: true, force: true })
  vi.unstubAllEnvs()
})

/** V4-Flash's entry with files that a test can serve. */
function small(bytes = 9000): CatalogEntry {
  const entry = findEntry('deepseek-v4-flash')!
  const parts = entry.parts!.map(({ file }, i) => ({ file, sha256: digest(bodies[i]!) }))
  return { ...entry, bytes, parts, sha256: parts[0]!.sha256 }
}

const pull = (entry: CatalogEntry) =>
  fetchEntry(entry, {
    folders,
    signal: new AbortController().signal,
    screen: { note: (line) => notes.push(line), status: () => undefined },
    terminal: false,
  })

test('comes part by part, each checked by its digest, and is there afterwards', async () => {
  const entry = small()
  const done = await pull(entry)
  expect(done).toMatchObject({ file: catalogFiles(entry, folders)[0], bytes: 8000 })
  expect(hub.requests.map(({ path }) => path)).toEqual(
    entry.parts!.map(
      ({ file }) => `/ggml-org/DeepSeek-V4-Flash-0731-GGUF/resolve/f559fd6005309e5f6bd650342ee8711ff189b3b8/${file}`,
    ),
  )
  for (const [i, file] of catalogFiles(entry, folders).entries()) expect(await readFile(file)).toEqual(bodies[i])
  expect(notes.at(-1)).toContain('SHA-256 as expected')
  await pull(entry)
  expect(hub.requests).toHaveLength(2)
})

test('a part that is not the one asked for leaves nothing under its name', async () => {
  served = [bodies[0]!, bodies[0]!]
  await expect(pull(small())).rejects.toThrow(/SHA-256 differs/)
  expect((await readdir(folders.models)).filter((name) => name.endsWith('-00002-of-00002.gguf'))).toEqual([])
})

test('is not begun where all parts have no room', async () => {
  await expect(pull(small(1e15))).rejects.toThrow(/needs 1,000,000,\d+ MB in .*, and .* free there/)
  expect(hub.requests).toEqual([])
})
