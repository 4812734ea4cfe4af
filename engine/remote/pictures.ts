/** Pictures of messages as data URLs, read once: what goes over the wire must not depend on the disk from then on. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Message, Picture } from '../messages.ts'

/** By SHA-256. Without an entry, the file is gone or is not what it was. */
export type PictureUrls = ReadonlyMap<string, string>

/** `known` and the pictures of these messages. Never rejects: a picture that is gone is told to the model in words. */
export async function withPictures(known: PictureUrls, messages: readonly Message[]): Promise<PictureUrls> {
  const fresh = messages
    .flatMap((message) => (message.role === 'user' ? (message.pictures ?? []) : []))
    .filter(({ sha256 }) => !known.has(sha256))
  if (fresh.length === 0) return known
  const urls = new Map(known)
  for (const picture of fresh) {
    const url = await urlOf(picture)
    if (url !== undefined) urls.set(picture.sha256, url)
  }
  return urls
}

async function urlOf({ file, mediaType, sha256 }: Picture): Promise<string | undefined> {
  const bytes = await readFile(file).catch(() => undefined) // gone: told in its place
  if (bytes === undefined || createHash('sha256').update(bytes).digest('hex') !== sha256) return undefined
  return `data:${mediaType};base64,${bytes.toString('base64')}`
}
