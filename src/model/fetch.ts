/** Brings a catalog model here. */
import { posix } from 'node:path'
import {
  type CatalogEntry,
  catalogFiles,
  type Downloaded,
  download,
  type ModelFolders,
  type Source,
} from '../../engine/index.ts'
import { bytesText } from './bytes.ts'
import { hubEndpoints } from './context.ts'
import { downloadProgress, type ProgressScreen } from './progress.ts'

export interface FetchOptions {
  readonly folders: ModelFolders
  readonly signal: AbortSignal
  readonly screen: ProgressScreen
  /** Whether the screen shows passing lines. */
  readonly terminal: boolean
}

/** Downloads a catalog model, or finds it here, and tells the screen. Rejects as `download` does. */
export async function fetchEntry(entry: CatalogEntry, options: FetchOptions): Promise<Downloaded> {
  const { folders, signal, screen, terminal } = options
  const began = performance.now()
  const files = catalogFiles(entry, folders)
  const parts = entry.parts ?? [{ file: entry.file, sha256: entry.sha256 }]
  let bytes = 0
  let last: Downloaded | undefined
  for (const [at, target] of files.entries()) {
    const part = parts[at] ?? entry
    const done = await download(
      {
        target,
        bytes: entry.parts === undefined ? entry.bytes : undefined,
        // Both at once would be too much for many disks: told before the first, not after it.
        room: (entry.bytes * (files.length - at)) / files.length,
        sha256: part.sha256,
        sources:
          entry.parts === undefined ? entry.sources : entry.sources.map((source) => sourceOfPart(source, part.file)),
      },
      {
        ...{ signal, endpoints: hubEndpoints() },
        onEvent: downloadProgress({
          title: files.length === 1 ? entry.name : `${entry.name}, part ${at + 1} of ${files.length}`,
          screen,
          terminal,
        }),
      },
    ).finally(() => screen.status(undefined))
    bytes += done.bytes
    last = last?.source === undefined ? done : { ...done, source: done.source ?? last.source }
  }
  if (last?.source !== undefined) {
    const seconds = Math.max(1, Math.round((performance.now() - began) / 1000))
    screen.note(`${entry.name}: ${bytesText(bytes)} from ${last.source} in ${seconds}s, SHA-256 as expected`)
  }
  return { file: files[0] ?? '', bytes, sha256: entry.sha256, source: last?.source }
}

/** A hub's parts lie beside each other. */
function sourceOfPart(source: Source, file: string): Source {
  if (!('repo' in source)) return source
  return { ...source, file: posix.join(posix.dirname(source.file), file) }
}
