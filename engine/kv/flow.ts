/** Writing a large file so that the disk works from the start: what was written goes out while the next is handed to the system. */
import type { FileHandle } from 'node:fs/promises'

/**
 * Bytes after which the disk is set to work. A write only fills the page cache; where the file is synced at its end alone, the disk
 * waits for the last byte and then we for the disk (46, 130 and 470 MB: 1.36, 1.44 and 1.70 GB/s, so 1.74, 1.98 and 2.23).
 */
const flowBytes = 16 * 1024 * 1024
/** Elsewhere it was not measured, and on macOS each sync makes the drive empty its own cache. */
const flows = process.platform === 'linux'

export interface Flow {
  /** Writes all of the bytes at a place in the file. Not for concurrent use. */
  write(bytes: Buffer, at: number): Promise<void>
  /** When nothing is under way any more. Rejects with what went wrong meanwhile: a later sync would not tell. */
  settled(): Promise<void>
}

export function flowInto(handle: Pick<FileHandle, 'write' | 'datasync'>): Flow {
  let waiting = 0
  let flushing: Promise<void> | undefined
  let failed: { readonly cause: unknown } | undefined
  const flush = () => {
    waiting = 0
    flushing = handle
      .datasync()
      .catch((cause: unknown) => {
        failed = { cause }
      })
      .finally(() => {
        flushing = undefined
      })
  }
  const check = () => {
    if (failed) throw failed.cause
  }
  return {
    async write(bytes, from) {
      for (let at = 0; at < bytes.length; ) {
        check()
        const { bytesWritten } = await handle.write(bytes, at, Math.min(flowBytes, bytes.length - at), from + at)
        at += bytesWritten
        waiting += bytesWritten
        if (flows && waiting >= flowBytes && flushing === undefined) flush()
      }
    },
    async settled() {
      await flushing
      check()
    },
  }
}
