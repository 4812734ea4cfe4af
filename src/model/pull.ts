/** `cachalot model pull`: from the catalog, from a hub, or from a place on this disk. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import {
  addRecord,
  CatalogError,
  catalog,
  download,
  findEntry,
  findModel,
  isModelName,
  isModelPath,
  type ModelFolders,
  modelPath,
  partNames,
  readGgufHeader,
  unknownModel,
} from '../../engine/index.ts'
import { openScreen, type Screen } from '../terminal/screen.ts'
import { UsageError } from '../usage-error.ts'
import { bytesText } from './bytes.ts'
import { hubEndpoints, modelCommand, modelInUse } from './context.ts'
import { fetchEntry } from './fetch.ts'
import { downloadProgress } from './progress.ts'

interface PullContext {
  readonly folders: ModelFolders
  readonly signal: AbortSignal
  readonly screen: Screen
  readonly terminal: boolean
  /** `--name`. */
  readonly name: string | undefined
}

/** Fetches or adds what `wanted` names; without a word, the model in use. Exit code 0, 1 or 130. */
export function pullCommand(wanted: string | undefined, flags: { readonly name?: string }): Promise<number> {
  return modelCommand(async ({ paths, folders, signal }) => {
    const { stdout, stderr, env } = process
    const screen = openScreen({ stdout, stderr, environment: env, color: true, progress: true })
    const context = { folders, signal, screen, terminal: stderr.isTTY === true, name: flags.name }
    const what = wanted ?? modelInUse(paths)
    const entry = findEntry(what)
    if (what.startsWith('hf:')) await pullHub(what, context)
    else if (isModelPath(what)) await addFile(what, context)
    else if (entry === undefined) return await alreadyAdded(what, context)
    else if (flags.name !== undefined) throw new UsageError('--name is for hf: addresses and paths')
    else {
      const done = await fetchEntry(entry, context)
      screen.note(`${entry.name} is at ${done.file}`)
    }
    return 0
  })
}

/** A name that is not the catalog's: fine if it is a record's, whose file is here. */
async function alreadyAdded(what: string, { folders, screen }: PullContext): Promise<number> {
  const model = await findModel(what, folders)
  if (model === undefined) throw await unknownModel(what, folders)
  if (model.onDisk) {
    screen.note(`${model.name} is at ${model.file}`)
    return 0
  }
  throw new CatalogError(
    'not-on-disk',
    `the file of ${model.name} is gone: ${model.file}. Get it again with: cachalot model pull ${model.record?.origin}`,
  )
}

async function pullHub(address: string, context: PullContext): Promise<void> {
  const { folders, signal, screen, terminal } = context
  const segments = address.slice('hf:'.length).split('/')
  const [owner, repo, ...inside] = segments
  const sound = segments.every((segment) => /^[\w.-]+$/.test(segment) && !/^\.+$/.test(segment))
  if (owner === undefined || repo === undefined || !sound || !/\.gguf$/i.test(inside.at(-1) ?? '')) {
    throw new UsageError(`"${address}" is not of the form hf:owner/repo/file.gguf`)
  }
  const parts = partNames(inside.at(-1) ?? '')
  if (parts === undefined) {
    throw new UsageError(
      `"${address}" is a later part of a model: give its first, …-00001-of-….gguf; the others come with it`,
    )
  }
  const name = context.name ?? nameOf(parts[0]!.replace(/-00001-of-\d{5}(?=\.gguf$)/i, ''))
  if (findEntry(name) !== undefined || !isModelName(name)) {
    throw new CatalogError('name-taken', `"${name}" cannot be its name. Give another with --name`)
  }
  const folder = inside.slice(0, -1)
  const target = join(folders.models, 'hf', owner, repo, ...folder, parts[0]!)
  let bytes = 0
  const digests: string[] = []
  for (const [at, part] of parts.entries()) {
    const title = parts.length === 1 ? name : `${name}, part ${at + 1} of ${parts.length}`
    const done = await download(
      {
        target: join(dirname(target), part),
        bytes: undefined,
        sha256: undefined,
        sources: [{ kind: 'huggingface', repo: `${owner}/${repo}`, file: [...folder, part].join('/') }],
        check: async (file) => {
          await readGgufHeader(file)
        },
      },
      { signal, endpoints: hubEndpoints(), onEvent: downloadProgress({ title, screen, terminal }) },
    ).finally(() => screen.status(undefined))
    bytes += done.bytes
    if (done.sha256 !== undefined) digests.push(done.sha256)
  }
  const [sha256] = parts.length === 1 ? digests : []
  await addRecord(
    { name, file: target, bytes, owner: 'hub', origin: address, ...(sha256 !== undefined && { sha256 }) },
    folders,
  )
  const digest = digests.length < parts.length ? '' : ` It is ${digests.join(', ')}.`
  screen.note(`${name}: ${bytesText(bytes)}. No digest of it was known: only its header was checked.${digest}`)
  screen.note(`${name} is at ${target}`)
}

/** Adds a file of the user's own by name. It stays where it is. */
async function addFile(path: string, { folders, signal, screen, name }: PullContext): Promise<void> {
  const given = modelPath(path)
  const header = await readGgufHeader(given)
  const file = await realpath(given)
  // Only a file of a catalog model's size can be that model; hashing any other would only cost time.
  const entry = catalog.find((candidate) => candidate.bytes === header.fileBytes)
  const sha256 = entry === undefined ? undefined : await digestOf(file, signal)
  const known = entry !== undefined && sha256 === entry.sha256 ? entry : undefined
  const record = {
    name: name ?? known?.name ?? nameOf(basename(file)),
    file,
    bytes: header.fileBytes,
    owner: 'own' as const,
    origin: file,
    ...(sha256 === undefined ? {} : { sha256 }),
  }
  await addRecord(record, folders)
  const what = known === undefined ? '' : ` (${known.title}, SHA-256 as in the catalog)`
  screen.note(`${record.name} is ${file}${what}. It stays there.`)
}

async function digestOf(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash, { signal })
  return hash.digest('hex')
}

/** `Some Model-Q4.gguf` → `some-model-q4`. */
function nameOf(file: string): string {
  return file
    .replace(/\.gguf$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
}
