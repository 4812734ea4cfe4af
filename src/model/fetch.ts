/** Brings a catalog model here. */
import { type CatalogEntry, catalogFile, type Downloaded, download, type ModelFolders } from '../../engine/index.ts'
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
  const done = await download(
    { target: catalogFile(entry, folders), bytes: entry.bytes, sha256: entry.sha256, sources: entry.sources },
    { signal, endpoints: hubEndpoints(), onEvent: downloadProgress({ title: entry.name, screen, terminal }) },
  ).finally(() => screen.status(undefined))
  if (done.source !== undefined) {
    const seconds = Math.max(1, Math.round((performance.now() - began) / 1000))
    screen.note(`${entry.name}: ${bytesText(done.bytes)} from ${done.source} in ${seconds}s, SHA-256 as expected`)
  }
  return done
}
