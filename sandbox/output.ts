/** What is kept of a command's output: its head and its tail, in bounded memory, however much it writes. */

/** Collects bytes as they come. Memory stays below twice the limit. A class because it lives as long as the command. */
export class OutputBuffer {
  readonly #headLimit: number
  readonly #tailLimit: number
  readonly #overflow: ((bytes: Buffer) => void) | undefined
  readonly #decoder = new TextDecoder()
  #head: Buffer[] = []
  #headBytes = 0
  #tail: Buffer[] = []
  #tailBytes = 0
  #total = 0

  /**
   * @param limit bytes kept in all; half of it from the start, half from the end.
   * @param overflow gets the whole output, from its first byte, once it is longer than that.
   */
  constructor(limit: number, overflow?: (bytes: Buffer) => void) {
    this.#headLimit = Math.ceil(limit / 2)
    this.#tailLimit = Math.floor(limit / 2)
    this.#overflow = overflow
  }

  /** Bytes written in all, kept or not. */
  get total(): number {
    return this.#total
  }

  /** Adds bytes and returns them decoded; a character split between chunks comes with its last byte. */
  push(chunk: Buffer): string {
    const limit = this.#headLimit + this.#tailLimit
    if (this.#overflow !== undefined && this.#total + chunk.length > limit) {
      // Up to here nothing was cut, so what is kept is all there was.
      if (this.#total <= limit) for (const bytes of [...this.#head, ...this.#tail]) this.#overflow(bytes)
      this.#overflow(chunk)
    }
    this.#total += chunk.length
    const room = this.#headLimit - this.#headBytes
    const head = chunk.subarray(0, Math.max(0, room))
    const rest = chunk.subarray(head.length)
    // Copies: a chunk is a view on a larger pooled buffer that would otherwise stay alive with it.
    if (head.length > 0) {
      this.#head.push(Buffer.from(head))
      this.#headBytes += head.length
    }
    if (rest.length > 0) this.#pushTail(rest)
    return this.#decoder.decode(chunk, { stream: true })
  }

  #pushTail(bytes: Buffer): void {
    const kept = bytes.subarray(Math.max(0, bytes.length - this.#tailLimit))
    this.#tail.push(Buffer.from(kept))
    this.#tailBytes += kept.length
    // Compacted only at twice the limit, so that the cost per byte stays constant.
    if (this.#tailBytes > 2 * this.#tailLimit || this.#tail.length > 4096) {
      const joined = Buffer.concat(this.#tail)
      const last = Buffer.from(joined.subarray(Math.max(0, joined.length - this.#tailLimit)))
      this.#tail = [last]
      this.#tailBytes = last.length
    }
  }

  /** The text kept, with one line in place of what was cut, and whether anything was. */
  finish(): { readonly text: string; readonly truncated: boolean } {
    const head = Buffer.concat(this.#head)
    const all = Buffer.concat(this.#tail)
    const tail = all.subarray(Math.max(0, all.length - this.#tailLimit))
    const cut = this.#total - head.length - tail.length
    if (cut <= 0) return { text: decode(Buffer.concat([head, tail])), truncated: false }
    const [start, end] = [withoutSplitEnd(head), withoutSplitStart(tail)]
    const line = `\n[… ${this.#total - start.length - end.length} bytes cut …]\n`
    return { text: decode(start) + line + decode(end), truncated: true }
  }
}

const decode = (bytes: Buffer): string => new TextDecoder().decode(bytes)

/** Drops an unfinished UTF-8 character at the end, so that the cut does not invent a replacement character. */
function withoutSplitEnd(bytes: Buffer): Buffer {
  for (let back = 1; back <= Math.min(4, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if ((byte & 0xc0) === 0x80) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return length > back ? bytes.subarray(0, bytes.length - back) : bytes
  }
  return bytes
}

/** Drops continuation bytes at the start whose first byte was cut away. */
function withoutSplitStart(bytes: Buffer): Buffer {
  let start = 0
  while (start < Math.min(3, bytes.length) && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++
  return bytes.subarray(start)
}
