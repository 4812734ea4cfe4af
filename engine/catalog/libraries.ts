/** Engine libraries for GPUs: fetched when asked for, 27 to 143 MB, and never by installing the program. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageVersion } from '../host/library-folder.ts'
import { type DownloadOptions, download } from './download.ts'
import { DownloadError } from './download-events.ts'

export interface GpuLibraries {
  readonly name: 'cuda' | 'vulkan'
  /** What it is for, for a person. */
  readonly title: string
  /** Folder of its libraries, in the package and here. */
  readonly folder: string
  /** Of the archive. The digest is that of the registry's file, whose own SHA-512 was compared when this was written. */
  readonly bytes: number
  readonly sha256: string
}

/** By `process.platform` and `process.arch`. */
const known: Readonly<Record<string, readonly GpuLibraries[]>> = {
  'linux-x64': [
    {
      name: 'cuda',
      title: 'NVIDIA GPUs (needs the driver and the CUDA runtime)',
      folder: 'linux-x64-cuda',
      bytes: 142_850_036,
      sha256: '499b4012541cb3e01b3d35e18e7dd2dc546174979494b02dbcc0a6667ed6b7d9',
    },
    {
      name: 'vulkan',
      title: 'GPUs of any make with a Vulkan driver',
      folder: 'linux-x64-vulkan',
      bytes: 27_476_121,
      sha256: '4877be47f01586481615aec277c23c7f660592ce66eec2753ff1dcc967a9a0d2',
    },
  ],
}

/** What can be fetched for a machine, the fastest first. On a Mac nothing: its usual libraries use the GPU. */
export const gpuLibraries = (machine = `${process.platform}-${process.arch}`): readonly GpuLibraries[] =>
  known[machine] ?? []

/** Where fetched libraries lie in the folder for them; undefined while they are not here. */
export function fetchedLibraries(libraries: GpuLibraries, folder: string): string | undefined {
  const path = placeOf(libraries, folder)
  return existsSync(path) ? path : undefined
}

const placeOf = (libraries: GpuLibraries, folder: string): string => join(folder, packageVersion, libraries.folder)

/**
 * Brings libraries into the folder for them and gives their place. Goes on where an earlier attempt stopped. Rejects with
 * DownloadError.
 */
export async function fetchLibraries(
  libraries: GpuLibraries,
  folder: string,
  options: DownloadOptions,
): Promise<string> {
  const there = fetchedLibraries(libraries, folder)
  if (there !== undefined) return there
  const target = join(folder, `${libraries.folder}-${packageVersion}.tgz`)
  const { bytes, sha256 } = libraries
  const name = `@node-llama-cpp/${libraries.folder}`
  const sources = [{ kind: 'npm', package: name, version: packageVersion } as const]
  await download({ target, bytes, sha256, sources }, options)
  const place = placeOf(libraries, folder)
  await mkdir(join(place, '..'), { recursive: true })
  // Beside its place, so that it gets its name when it is whole and not before.
  const unpacked = await mkdtemp(`${place}.unpacking-`)
  try {
    const inside = `package/bins/${libraries.folder}`
    await promisify(execFile)('tar', ['-xzf', target, '--no-same-owner', '-C', unpacked, inside])
    await rename(join(unpacked, inside), place)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new DownloadError('io', `${target} cannot be unpacked: ${why}`, { cause: error })
  } finally {
    await rm(unpacked, { recursive: true, force: true })
  }
  await rm(target, { force: true })
  return place
}

/** Deletes fetched libraries; false where there were none. */
export async function removeLibraries(libraries: GpuLibraries, folder: string): Promise<boolean> {
  const there = fetchedLibraries(libraries, folder)
  if (there === undefined) return false
  await rm(there, { recursive: true })
  return true
}
