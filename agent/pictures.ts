/** Pictures that a user gives to a message: looked at, and kept with the session, so that it can be resumed and forked. */
import { createHash } from 'node:crypto'
import { mkdir, open, readFile, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { ModelInfo, Picture } from '../engine/index.ts'

/** What servers take at most; larger ones are refused by them after they were sent. In bytes. */
const mostBytes = 8 << 20

export interface KeptPictures {
  readonly pictures: readonly Picture[]
  /** What cannot be shown, and why, for the user. */
  readonly problems: readonly string[]
}

/**
 * Copies the files, by the digest of their bytes, to `attachments/` in the folder of the sessions. A model without vision
 * gets none: `problems` says so, and what to do.
 */
export async function keepPictures(
  files: readonly string[],
  { info, folder }: { readonly info: ModelInfo; readonly folder: string },
): Promise<KeptPictures> {
  const pictures: Picture[] = []
  const problems: string[] = []
  for (const file of files) {
    const kept = info.vision === true ? await keep(file, join(folder, 'attachments')) : blind(info)
    if (typeof kept === 'string') problems.push(`${basename(file)} is not shown to the model: ${kept}`)
    else pictures.push(kept)
  }
  return { pictures, problems }
}

const blind = ({ name, place }: ModelInfo): string =>
  place === 'remote'
    ? `${name} counts as reading text only. If it reads pictures, say so with --vision on (remote.vision).`
    : `${name} reads text only. A remote model with vision takes pictures: --base-url … --vision on.`

/** The picture as kept, or in words why it cannot be. */
async function keep(file: string, folder: string): Promise<Picture | string> {
  try {
    const found = await stat(file)
    if (!found.isFile()) return 'it is not a file.'
    if (found.size > mostBytes) return `it is larger than ${mostBytes >> 20} MiB.`
    const bytes = await readFile(file)
    const mediaType = pictureType(bytes)
    if (mediaType === undefined) return 'it is no PNG, JPEG, GIF or WebP picture.'
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const kept = join(folder, `${sha256}.${mediaType.slice('image/'.length)}`)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await store(kept, bytes)
    return { file: kept, mediaType, sha256 }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? 'there is no such file.'
      : `${(error as Error).message}.`
  }
}

/** Written once: the name is the content. On the disk before the log speaks of it. */
async function store(file: string, bytes: Buffer): Promise<void> {
  const there = await stat(file).catch(() => undefined) // not kept yet
  if (there?.size === bytes.length) return
  await writeFile(file, bytes, { mode: 0o600 })
  const handle = await open(file)
  try {
    await handle.datasync()
  } finally {
    await handle.close()
  }
}

/** By the first bytes, as the formats' specifications have them: a name says nothing. */
export function pictureType(bytes: Buffer): Picture['mediaType'] | undefined {
  const ascii = bytes.toString('latin1', 0, 12)
  if (ascii.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png'
  if (ascii.startsWith('\xff\xd8\xff')) return 'image/jpeg'
  if (/^GIF8[79]a/.test(ascii)) return 'image/gif'
  if (ascii.startsWith('RIFF') && ascii.slice(8) === 'WEBP') return 'image/webp'
  return undefined
}
