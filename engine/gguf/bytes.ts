/** Reads a file from its start, piece by piece, without holding it: the hostile-safe base of the GGUF reader. */
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { EngineError } from '../engine.ts'

const chunkBytes = 256 * 1024

/**
 * A forward cursor over a file. `need(n)` fetches until n bytes are at hand (and rejects where the file ends before);
 * the synchronous takers then use them up. Everything taken goes into a SHA-256.
 */
export class ByteCursor {
  readonly #file: FileHandle
  readonly #fileBytes: number
  readonly #hash = createHash('sha256')
  #buffer: Buffer = Buffer.alloc(0)
  #at = 0
  /** Bytes of the file that lie before the buffer. */
  #before = 0

  constructor(file: FileHandle, fileBytes: number) {
    this.#file = file
    this.#fileBytes = fileBytes
  }

  /** Bytes taken so far. */
  get position(): number {
    return this.#before + this.#at
  }

  /** Bytes of the file that are not taken yet. */
  get remaining(): number {
    return this.#fileBytes - this.position
  }

  has(bytes: number): boolean {
    return this.#buffer.length - this.#at >= bytes
  }

  async need(bytes: number): Promise<void> {
    if (this.has(bytes)) return
    if (bytes > this.remaining)
      throw new EngineError(
        'truncated',
        `the file ends inside its header, after ${this.#fileBytes} bytes. Download it again: cachalot model pull`,
      )
    const left = this.#buffer.subarray(this.#at)
    this.#hash.update(this.#buffer.subarray(0, this.#at))
    this.#before += this.#at
    this.#at = 0
    const start = this.#before + left.length
    const wanted = Math.min(Math.max(bytes - left.length, chunkBytes), this.#fileBytes - start)
    const next = Buffer.alloc(left.length + wanted)
    left.copy(next)
    let filled = left.length
    while (filled < next.length) {
      const { bytesRead } = await this.#file.read(next, filled, next.length - filled, this.#before + filled)
      if (bytesRead === 0) throw new EngineError('truncated', 'the file became shorter while it was read')
      filled += bytesRead
    }
    this.#buffer = next
  }

  /** Takes bytes that `need` has fetched. The result is valid until the next `need`. */
  take(bytes: number): Buffer {
    const piece = this.#buffer.subarray(this.#at, this.#at + bytes)
    this.#at += bytes
    return piece
  }

  /** Moves on over bytes that need not be at hand. */
  async skip(bytes: number): Promise<void> {
    let left = bytes
    while (left > 0) {
      const step = Math.min(left, chunkBytes)
      await this.need(step)
      this.#at += step
      left -= step
    }
  }

  /** SHA-256 (hex) of everything taken. Ends the cursor's use. */
  digest(): string {
    return this.#hash.update(this.#buffer.subarray(0, this.#at)).digest('hex')
  }
}
