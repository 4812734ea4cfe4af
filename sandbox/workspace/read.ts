/** Reads files that others may change meanwhile: regular ones only, and without waiting for anybody. */
import { closeSync, constants, fstatSync, openSync, read, readSync } from 'node:fs'
import { promisify } from 'node:util'
import { WorkspaceError } from '../types.ts'
import { hasProc, type Place, walk } from './walk.ts'

const CHUNK = 256 * 1024
const SMALL = 64 * 1024
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants

/**
 * The bytes of a file of a work tree, `path` relative to it; undefined where there is none, it is no regular file or larger
 * than `maxBytes` (default 64 MiB), or a link on the way leads out. For reading many: a Workspace looks at the tree first.
 *
 * @param root absolute, real path.
 */
export async function readWithin(root: string, path: string, maxBytes = 64 * 1024 * 1024): Promise<Buffer | undefined> {
  let place: Place | undefined
  try {
    place = walk(root, path, { links: 'inside', last: 'same', proc: hasProc })
    return await readWhole(place.file, path, maxBytes)
  } catch {
    // Gone, closed to us, or not what it was when it was listed: there is nothing to be read.
    return undefined
  } finally {
    place?.close()
  }
}

/** The first bytes of a regular file, as UTF-8; undefined where there is none. Never waits: for files of a few lines. */
export function readBeginning(file: string, bytes = 4096): string | undefined {
  let descriptor: number | undefined
  try {
    // O_NONBLOCK: opening a FIFO would otherwise wait for its writer, and nothing could interrupt that.
    descriptor = openSync(file, O_RDONLY | O_NONBLOCK)
    if (!fstatSync(descriptor).isFile()) return undefined
    const buffer = Buffer.alloc(bytes)
    return buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, bytes, 0))
  } catch {
    // No such file, or not readable: nothing that it could say.
    return undefined
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/** Throws WorkspaceError; `name` is what the file is called there. */
export async function readWhole(file: string, name: string, maxBytes: number): Promise<Buffer> {
  // O_NONBLOCK: opening a FIFO would otherwise wait for its writer.
  const descriptor = openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    const stat = fstatSync(descriptor)
    if (stat.isDirectory()) throw new WorkspaceError('not-a-file', name, `${name} is a folder.`)
    if (!stat.isFile()) throw new WorkspaceError('not-a-file', name, `${name} is not a regular file.`)
    if (stat.size > maxBytes) throw tooLarge(name, stat.size, maxBytes)
    const chunks: Buffer[] = []
    let total = 0
    for (;;) {
      // One byte more than is expected, so that the end is seen; a file that grows is read on in larger pieces.
      const expected = Math.min(stat.size - total, maxBytes) + 1
      const chunk = Buffer.allocUnsafe(total > 0 || stat.size === 0 ? Math.max(CHUNK, expected) : expected)
      // A small file is read at once: a turn of the event loop takes longer than the reading.
      const small = chunk.length <= SMALL
      const bytesRead = small
        ? readSync(descriptor, chunk, 0, chunk.length, null)
        : (await promisify(read)(descriptor, chunk, 0, chunk.length, null)).bytesRead
      if (bytesRead === 0) return Buffer.concat(chunks, total)
      total += bytesRead
      if (total > maxBytes) throw tooLarge(name, total, maxBytes)
      chunks.push(chunk.subarray(0, bytesRead))
      // All that it was said to hold, and not the one byte more: asking again would take longer than the reading did.
      if (bytesRead < chunk.length && total >= stat.size && stat.size > 0) return Buffer.concat(chunks, total)
    }
  } finally {
    closeSync(descriptor)
  }
}

const tooLarge = (name: string, bytes: number, maxBytes: number): WorkspaceError =>
  new WorkspaceError('too-large', name, `${name} is too large: ${bytes} bytes, at most ${maxBytes} are read.`)
