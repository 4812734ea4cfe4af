/** `cachalot gpu`: what computes here, and the libraries that let a GPU do it. */
import {
  EngineError,
  fetchedLibraries,
  fetchLibraries,
  type GpuLibraries,
  gpuLibraries,
  listDevices,
  removeLibraries,
} from '../../engine/index.ts'
import { bytesText } from '../model/bytes.ts'
import { hubEndpoints, modelCommand } from '../model/context.ts'
import { downloadProgress } from '../model/progress.ts'
import { table } from '../model/table.ts'
import { sanitizeLine } from '../terminal/sanitize.ts'
import { openScreen } from '../terminal/screen.ts'
import { UsageError } from '../usage-error.ts'
import { librariesFolder, preferFetchedLibraries } from './libraries.ts'

/** Prints the devices that the engine finds, and what could be fetched. */
export function showGpu(): Promise<number> {
  return modelCommand(async ({ paths }) => {
    preferFetchedLibraries(paths)
    const folder = librariesFolder(paths)
    const devices = await listDevices()
    const lines = [
      ...devices.map(({ kind, name, description, freeBytes, totalBytes }) => {
        const memory = kind === 'cpu' ? '' : `, ${bytesText(freeBytes)} free of ${bytesText(totalBytes)}`
        return `${kind}: ${description || name}${memory}`
      }),
      '',
      ...(gpuLibraries().length === 0
        ? [`There are no libraries to fetch for ${process.platform}-${process.arch}.`]
        : table([
            ['libraries', 'download', 'here', 'for'],
            ...gpuLibraries().map((each) => [
              each.name,
              bytesText(each.bytes),
              fetchedLibraries(each, folder) === undefined ? 'no' : 'yes',
              each.title,
            ]),
          ])),
    ]
    process.stdout.write(`${lines.map(sanitizeLine).join('\n')}\n`)
    return 0
  })
}

/** Fetches the libraries of that name, and says which devices the engine then finds. */
export function fetchGpu(name: string): Promise<number> {
  return modelCommand(async ({ paths, signal }) => {
    const libraries = named(name)
    const { stdout, stderr, env } = process
    const screen = openScreen({ stdout, stderr, environment: env, color: true, progress: true })
    const onEvent = downloadProgress({ title: `${name} libraries`, screen, terminal: stderr.isTTY === true })
    const options = { signal, endpoints: hubEndpoints(), onEvent }
    const place = await fetchLibraries(libraries, librariesFolder(paths), options).finally(() =>
      screen.status(undefined),
    )
    screen.note(`${name} libraries are at ${place}`)
    process.env['CACHALOT_LLAMA_LIBS'] = place
    const found = (await listDevices()).filter(({ kind }) => kind !== 'cpu')
    if (found.length > 0) {
      for (const { description, name: device } of found) screen.note(`found: ${description || device}`)
      return 0
    }
    throw new EngineError(
      'library-missing',
      `the libraries are here, but they find no GPU: is its driver installed? Without one, models run on the processor as before (cachalot gpu rm ${name} takes the libraries away again)`,
    )
  })
}

/** Deletes fetched libraries. */
export function removeGpu(name: string): Promise<number> {
  return modelCommand(async ({ paths }) => {
    const removed = await removeLibraries(named(name), librariesFolder(paths))
    process.stdout.write(`${removed ? `${name} libraries are gone` : `there were no ${name} libraries here`}\n`)
    return 0
  })
}

function named(name: string): GpuLibraries {
  const names = gpuLibraries().map((each) => each.name)
  const found = gpuLibraries().find((each) => each.name === name)
  if (found !== undefined) return found
  throw new UsageError(
    names.length === 0
      ? `there are no libraries to fetch for ${process.platform}-${process.arch}`
      : `there are no libraries "${sanitizeLine(name)}"; there are: ${names.join(', ')}`,
  )
}
