/** Names of entries: how many tokens, and a digest of them. So the longest prefix is found by names alone. */
import { createHash } from 'node:crypto'

/** `<tokens>-<first 32 hex digits of the SHA-256 of the tokens as little-endian i32>.kv` */
const shape = /^(\d{1,9})-[0-9a-f]{32}\.kv$/

/** How many tokens an entry's name speaks of; undefined for a name that is none. */
export function tokensOfName(name: string): number | undefined {
  const count = shape.exec(name)?.[1]
  return count === undefined ? undefined : Number(count)
}

/** The names that the first `lengths` tokens would have, in the order of the lengths (ascending). */
export function prefixNames(tokens: readonly number[], lengths: readonly number[]): string[] {
  const hash = createHash('sha256')
  let done = 0
  return lengths.map((length) => {
    hash.update(Buffer.from(Int32Array.from(tokens.slice(done, length)).buffer))
    done = length
    return `${length}-${hash.copy().digest('hex').slice(0, 32)}.kv`
  })
}

let written = 0

/** A file beside, to be renamed when it is whole. The writer's process stands in its name; see entries.ts. */
export function temporaryFor(file: string): string {
  written += 1
  return `${file}.${written}.${process.pid}.tmp`
}

/** The folder of everything that was made with one model, library and cache type. */
export function folderOfKey(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 16)
}
