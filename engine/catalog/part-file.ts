/** The file that a download grows in until it is whole: appended to, hashed on the way, kept across crashes. */
import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'

/** A place in a part file to come back to. */
export interface PartMark {
  readonly bytes: number
  readonly hash: Hash
}

/** One open part file. Not for concurrent use; the caller holds the lock of the target. */
export class PartFile {
  readonly path: string
  readonly #handle: FileHandle
  #bytes = 0
  #hash = createHash('sha256')

  private constructor(path: string, handle: FileHandle) {
    this.path = path
    this.#handle = handle
  }

  /** Opens or makes the file and hashes what is there already. Rejects when the signal aborts. */
  static async open(path: string, signal: AbortSignal): Promise<PartFile> {
    const handle = await open(path, 'a+', 0o644)
    const part = new PartFile(path, handle)
    try {
      const block = Buffer.allocUnsafe(1 << 20)
      for (;;) {
        signal.throwIfAborted()
        const { bytesRead } = await handle.read(block, 0, block.length, part.#bytes)
        if (bytesRead === 0) return part
        part.#hash.update(block.subarray(0, bytesRead))
        part.#bytes += bytesRead
      }
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** Bytes in the file. */
  get bytes(): number {
    return this.#bytes
  }

  async append(chunk: Uint8Array): Promise<void> {
    let written = 0
    while (written < chunk.length) {
      const { bytesWritten } = await this.#handle.write(chunk, written, chunk.length - written)
      this.#hash.update(chunk.subarray(written, written + bytesWritten))
      this.#bytes += bytesWritten
      written += bytesWritten
    }
  }

  mark(): PartMark {
    return { bytes: this.#bytes, hash: this.#hash.copy() }
  }

  /** Drops what was appended since the mark. */
  async restore(mark: PartMark): Promise<void> {
    await this.#handle.truncate(mark.bytes)
    this.#bytes = mark.bytes
    this.#hash = mark.hash.copy()
  }

  /** Drops everything. */
  async clear(): Promise<void> {
    await this.restore({ bytes: 0, hash: createHash('sha256') })
  }

  /** SHA-256 of what is in the file, lower-case hexadecimal. */
  digest(): string {
    return this.#hash.copy().digest('hex')
  }

  /** Brings the bytes to the disk itself, so that a rename after it never shows a file with holes. */
  async sync(): Promise<void> {
    await this.#handle.sync()
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}
